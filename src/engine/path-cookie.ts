import type { Context } from 'koa';
import { type Duration, inSeconds } from '../lib/index.ts';

interface Options {
  readonly https: boolean;
  readonly lifetime: Duration;
}

/** A cookie that goes to one path alone. It cannot be `__Host-`, so that what is in it has to be its own proof. */
export function pathCookie(name: string, { https, lifetime }: Options) {
  const options = {
    httpOnly: true,
    sameSite: 'lax',
    secure: https,
    signed: false,
    overwrite: true,
    maxAge: inSeconds(lifetime) * 1000,
  } as const;
  return {
    give: (ctx: Pick<Context, 'cookies'>, path: string, value: string): void =>
      void ctx.cookies.set(name, value, { ...options, path }),
    read: (ctx: Pick<Context, 'cookies'>): string | undefined => ctx.cookies.get(name, { signed: false }),
  };
}
