import { AsyncLocalStorage } from 'node:async_hooks';
import type { Middleware } from 'koa';
import { errors } from 'oidc-provider';
import { type Store, StoreConflict, UnitOfWork } from '../store/index.ts';

const current = new AsyncLocalStorage<UnitOfWork>();

/** The unit of work of the request being answered. */
export function currentUnit(): UnitOfWork {
  const unit = current.getStore();
  if (!unit) throw new Error('the engine was used outside a unit of work');
  return unit;
}

/** Runs work that belongs to no request as a unit of its own, committed at its end. */
export async function inUnit<R>(store: Store, work: () => Promise<R>): Promise<R> {
  const unit = new UnitOfWork(store);
  const result = await current.run(unit, work);
  await unit.commit();
  return result;
}

/**
 * One request, one commit: everything the engine saves while it answers becomes durable together, before the answer
 * leaves. A refused request (4xx) changes nothing but what must outlive the refusal; a failed one (5xx) nothing at all.
 * @param refuse answers a request that lost a race at the commit.
 */
export function oneCommit(
  store: Store,
  refuse: (ctx: Parameters<Middleware>[0], error: Error) => Promise<void>,
): Middleware {
  return async (ctx, next) => {
    const unit = new UnitOfWork(store);
    await current.run(unit, next);
    if (ctx.status >= 500) return;
    try {
      await unit.commit(ctx.status >= 400 && ctx.status !== 404 ? 'urgent' : 'all');
    } catch (error) {
      const lost =
        error instanceof StoreConflict ? new errors.InvalidRequest('the request was overtaken by another one') : error;
      if (!(lost instanceof errors.OIDCProviderError)) throw lost;
      ctx.remove('Location');
      ctx.remove('Set-Cookie');
      await refuse(ctx, lost);
    }
  };
}
