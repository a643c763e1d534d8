import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import { type Domain, sessionIdOf } from '../domain/index.ts';
import { seconds } from '../lib/index.ts';
import { currentUnit } from './unit.ts';

type Session = InstanceType<Provider['Session']> & { readonly destroyed?: boolean };

/** Notes where a browser's session is used from, in the commit of the request that used it. */
export function notePlaces({ audit, places }: Pick<Domain, 'audit' | 'places'>): Middleware {
  return async (ctx, next) => {
    await next();
    const session = (ctx as Context & { oidc?: { session?: Session } }).oidc?.session;
    if (!session?.accountId) return;
    const id = sessionIdOf(session.uid);
    const unit = currentUnit();
    if (session.destroyed) return unit.remove('session_places', id, { urgent: true });
    const before = await unit.get('session_places', id);
    const record = places.after(before?.record, {
      accountId: session.accountId,
      address: (ctx.state as { address?: string }).address ?? '',
      userAgent: ctx.get('User-Agent'),
    });
    if (!record) return;
    unit.put('session_places', id, record, { expiresAt: seconds(session.exp ?? 0) });
    const { accountId, address, userAgent } = record;
    if (before?.record.accountId === accountId) return;
    const details = { session: id, address, user_agent: userAgent };
    const event = audit.record('session.started', { accountId, details });
    unit.put('audit', event.id, event.record, { expiresAt: event.expiresAt });
  };
}
