import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import { type Domain, sessionIdOf } from '../domain/index.ts';
import { type Clock, inTimeOf, seconds } from '../lib/index.ts';
import type { UnitOfWork } from '../store/index.ts';
import { currentUnit } from './unit.ts';

type Session = InstanceType<Provider['Session']> & { readonly destroyed?: boolean };

/** A session with somebody in it. */
interface Used {
  readonly accountId: string;
  readonly uid: string;
  /** In seconds since the epoch. */
  readonly exp: number;
}

export type NotePlace = ReturnType<typeof createNotePlace>;

/** Notes where a session is used from, in the commit of the request that uses it. */
export function createNotePlace({ audit, places }: Pick<Domain, 'audit' | 'places'>, now: Clock) {
  return async (
    unit: UnitOfWork,
    { accountId, uid, exp }: Used,
    { address, userAgent }: { readonly address: string; readonly userAgent: string },
  ): Promise<void> => {
    const id = sessionIdOf(uid);
    const before = await unit.get('session_places', id);
    const record = places.after(before?.record, { accountId, address, userAgent });
    if (!record) return;
    unit.put('session_places', id, record, { expiresAt: inTimeOf(now, seconds(exp)) });
    if (before?.record.accountId === accountId) return;
    const details = { session: id, address: record.address, user_agent: record.userAgent };
    const event = audit.record('session.started', { accountId, details });
    unit.put('audit', event.id, event.record, { expiresAt: event.expiresAt });
  };
}

/** Notes it for each request that the engine answers with a session. */
export function notePlaces(notePlace: NotePlace): Middleware {
  return async (ctx, next) => {
    await next();
    const session = (ctx as Context & { oidc?: { session?: Session } }).oidc?.session;
    if (!session?.accountId) return;
    const { accountId, uid, exp = 0 } = session;
    if (session.destroyed) return currentUnit().remove('session_places', sessionIdOf(uid), { urgent: true });
    const { address = '' } = ctx.state as { address?: string };
    await notePlace(currentUnit(), { accountId, uid, exp }, { address, userAgent: ctx.get('User-Agent') });
  };
}
