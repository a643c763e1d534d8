import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, Middleware } from 'koa';
import { errors } from 'oidc-provider';
import { type Store, StoreConflict, UnitOfWork } from '../store/index.ts';
import { askAgain } from './ask-again.ts';

const current = new AsyncLocalStorage<UnitOfWork>();

/** The unit of work of the request being answered. */
export function currentUnit(): UnitOfWork {
  const unit = current.getStore();
  if (!unit) throw new Error('the engine was used outside a unit of work');
  return unit;
}

/** Has the engine read for a request that is not its own, and keeps of what it noted what must outlive the request. */
export async function besideTheEngine<R>(store: Store, work: () => Promise<R>): Promise<R> {
  const unit = new UnitOfWork(store);
  const read = await current.run(unit, work);
  await unit.commit('urgent');
  return read;
}

interface Answers {
  /** Whether a browser shows the answer, and can be sent to ask again. */
  readonly isForPeople: (ctx: Context) => boolean;
  /** Whether the request was refused or failed, although its answer (a redirect to the client) does not look so. */
  readonly isError: (ctx: Context) => boolean;
  /** Answers a request that lost a race at the commit. */
  readonly refuse: (ctx: Context, error: Error) => void;
}

/**
 * One request, one commit: everything the engine saves while it answers becomes durable together, before the answer
 * leaves. A refused request changes nothing but what must outlive the refusal; a failed one (5xx) nothing at all.
 */
export function oneCommit(store: Store, { isError, isForPeople, refuse }: Answers): Middleware {
  return async (ctx, next) => {
    const unit = new UnitOfWork(store);
    await current.run(unit, next);
    if (ctx.status >= 500) return;
    const refused = (ctx.status >= 400 && ctx.status !== 404) || isError(ctx);
    try {
      await unit.commit(refused ? 'urgent' : 'all');
    } catch (error) {
      ctx.remove('Location');
      ctx.remove('Set-Cookie');
      if (error instanceof StoreConflict && isForPeople(ctx)) return askAgain(ctx);
      const lost =
        error instanceof StoreConflict ? new errors.InvalidGrant('the request was overtaken by another one') : error;
      if (!(lost instanceof errors.OIDCProviderError)) throw lost;
      refuse(ctx, lost);
    }
  };
}
