import test from 'ava';
import type { Context } from 'koa';
import { cookieStyle, createDevice } from '../../src/http/index.ts';
import { ISSUER } from './support.ts';

/** A browser: keeps the one cookie and sends it back. */
function browser() {
  const jar = new Map<string, string>();
  const given: Record<string, unknown>[] = [];
  const ctx = {
    cookies: {
      get: (name: string) => jar.get(name),
      set(name: string, value: string, options: Record<string, unknown>) {
        jar.set(name, value);
        given.push(options);
      },
    },
  } as unknown as Context;
  return { ctx, jar, given };
}

test('a browser keeps the one name it was given, and no two have the same', (t) => {
  const device = createDevice({ issuer: ISSUER });
  const [one, other] = [browser(), browser()];
  const id = device.id(one.ctx);
  t.regex(id, /^[\w-]{22}$/);
  t.is(device.id(one.ctx), id);
  t.is(one.given.length, 1);
  t.not(device.id(other.ctx), id);
});

test('what is no name of ours is replaced, and never believed', (t) => {
  const device = createDevice({ issuer: ISSUER });
  const name = cookieStyle(ISSUER).name('device');
  for (const value of ['', 'x', '<script>', 'a'.repeat(23), '../'.repeat(8), 'x'.repeat(5_000)]) {
    const { ctx, jar } = browser();
    jar.set(name, value);
    t.regex(device.id(ctx), /^[\w-]{22}$/);
    t.not(jar.get(name), value);
  }
});

test('the cookie is __Host-, Secure, HttpOnly and Lax on https and lasts a year', (t) => {
  const { ctx, jar, given } = browser();
  createDevice({ issuer: ISSUER }).id(ctx);
  t.deepEqual([...jar.keys()], ['__Host-postern.device']);
  t.deepEqual(given, [
    {
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: true,
      overwrite: true,
      maxAge: 365 * 86_400_000,
      signed: false,
    },
  ]);
  t.is(cookieStyle('http://localhost:3000').name('device'), 'postern.device');
  t.false(cookieStyle('http://localhost:3000').options.secure);
});
