import type { TestFn } from 'ava';
import { decodeJwt } from 'jose';
import { HOSTILE } from './hostile-tokens.ts';
import type { Program } from './program.ts';
import { machineToken, personTokens, startWorld, type World } from './world.ts';

interface ApiExample {
  /** A route for anybody with an access token. */
  readonly protectedPath: string;
  /** The scope it needs, if it needs one. */
  readonly protectedScope?: string;
  /** A route whose GET needs `readScope` and whose POST another one; absent where the example has none. */
  readonly scoped?: { readonly path: string; readonly readScope: string; readonly writeScope: string };
  start(world: World): Promise<Program>;
}

export interface Running {
  world: World;
  api: Program;
}

export const call = (url: string, token?: string, init: RequestInit = {}): Promise<Response> =>
  fetch(url, {
    ...init,
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...init.headers },
  });

/** What every API owes its callers, whatever it is written in. Gives what runs, once the tests have begun. */
export function apiTests(test: TestFn, { protectedPath, protectedScope, scoped, start }: ApiExample): Running {
  const running = {} as Running;
  test.serial.before(async () => {
    running.world = await startWorld();
    running.api = await start(running.world);
  });
  test.after.always(async () => {
    await running.api?.stop();
    await running.world?.close();
  });
  const at = (path: string): string => `${running.api.url}${path}`;

  test('a program’s token is let in', async (t) => {
    const response = await call(at(protectedPath), await machineToken(running.world, protectedScope));
    t.is(response.status, 200, await response.text());
  });

  test('an access token lives fifteen minutes', async (t) => {
    const { exp = 0, iat = 0 } = decodeJwt(await machineToken(running.world, protectedScope));
    t.is(exp - iat, 15 * 60);
  });

  test('a person’s token is let in and says who it is', async (t) => {
    const { access } = await personTokens(running.world);
    const person = await running.world.postern.domain.accounts.byEmail('ada@example.com');
    const response = await call(at(protectedPath), access);
    const text = await response.text();
    t.is(response.status, 200, text);
    t.true(text.includes(person?.id ?? '?'), text);
  });

  test('no token: 401 with WWW-Authenticate', async (t) => {
    for (const authorization of [undefined, 'Basic eDp5', 'Bearer', 'Bearer ']) {
      const response = await fetch(at(protectedPath), {
        headers: authorization === undefined ? {} : { authorization },
      });
      t.is(response.status, 401, authorization);
      t.regex(response.headers.get('www-authenticate') ?? '', /^Bearer/, authorization);
    }
  });

  for (const [fact, make] of HOSTILE)
    test(`${fact}: 401 with WWW-Authenticate`, async (t) => {
      const response = await call(at(protectedPath), await make(running.world));
      t.is(response.status, 401, await response.text());
      t.regex(response.headers.get('www-authenticate') ?? '', /^Bearer/);
    });

  if (scoped)
    test('a scope opens what it names and nothing else', async (t) => {
      const { path, readScope, writeScope } = scoped;
      const [read, write] = [
        await machineToken(running.world, readScope),
        await machineToken(running.world, writeScope),
      ];
      t.is((await call(at(path), read)).status, 200);
      t.is((await call(at(path), read, { method: 'POST' })).status, 403);
      t.is((await call(at(path), write)).status, 403);
      t.true((await call(at(path), write, { method: 'POST' })).ok);
      t.is((await call(at(path), undefined, { method: 'POST' })).status, 401);
    });

  return running;
}
