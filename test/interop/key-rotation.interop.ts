import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { decodeProtectedHeader } from 'jose';
import { freePort } from '../support/free-port.ts';
import { API_NAMES, type ApiName } from './support/api-names.ts';
import { call } from './support/api-tests.ts';
import type { Program } from './support/program.ts';
import { START } from './support/starts.ts';
import { machineToken, startWorld, type World } from './support/world.ts';

/** A path of each that anybody with a token may see. */
const PATHS: Readonly<Record<ApiName, string>> = {
  'python-pyjwt': '/',
  'flask-api': '/protected',
  'django-api': '/api/protected/',
  fastapi: '/users/me',
  'rust-axum': '/protected',
  'node-express': '/protected',
};

let world: World;
const apis = new Map<ApiName, Program>();

test.serial.before(async () => {
  world = await startWorld({ POSTERN_SIGNING_JWKS_MAX_AGE: '1s' });
  for (const name of API_NAMES) apis.set(name, await START[name](world));
});
test.after.always(async () => {
  await Promise.all([...apis.values()].map((api) => api.stop()));
  await world?.close();
});

interface Tried {
  readonly kid: string;
  readonly status: number;
}

/** Asks one API again and again with new tokens and with the first one. */
async function ask(name: ApiName, isOver: () => boolean): Promise<Tried[]> {
  const url = `${apis.get(name)?.url}${PATHS[name]}`;
  const first = await machineToken(world);
  const tried: Tried[] = [];
  while (!isOver()) {
    for (const token of [await machineToken(world), first]) {
      const { kid = '' } = decodeProtectedHeader(token);
      tried.push({ kid, status: (await call(url, token)).status });
    }
    await pause(200);
  }
  return tried;
}

/** The programs' clocks cannot be moved, so the time that a new key is only published is really waited for. */
test.serial(
  'keys rotate while the APIs run: every API takes every token of the old key and of the new one',
  async (t) => {
    let over = false;
    const asked = API_NAMES.map((name) => ask(name, () => over));
    const { keys } = world.postern.domain;
    const before = keys.signer().kid;
    await keys.rotate();
    while (keys.signer().kid === before) await pause(200);
    await pause(3000);
    over = true;
    for (const [i, tried] of (await Promise.all(asked)).entries()) {
      const name = API_NAMES[i];
      t.deepEqual(new Set(tried.map(({ status }) => status)), new Set([200]), name);
      t.is(new Set(tried.map(({ kid }) => kid)).size, 2, `${name} saw both keys`);
      t.true(tried.length > 20, `${name} was asked ${tried.length} times`);
    }
  },
);

test.serial(
  'a token of a revoked key is refused by an API that starts after it, and the next key’s is taken',
  async (t) => {
    const { keys } = world.postern.domain;
    const token = await machineToken(world);
    const own = decodeProtectedHeader(token).kid ?? '';
    await keys.revoke(own);
    const next = await machineToken(world);
    t.not(decodeProtectedHeader(next).kid, own);
    const fresh = await START['python-pyjwt'](world);
    t.teardown(() => fresh.stop());
    t.is((await call(fresh.url, next)).status, 200);
    t.is((await call(fresh.url, token)).status, 401);
  },
);

test.serial('while the keys cannot be fetched an API says so, and calls nobody’s token invalid', async (t) => {
  const ISSUER = `http://localhost:${await freePort()}`;
  const token = await machineToken(world);
  for (const name of API_NAMES) {
    const api = await START[name]({ ...world, env: { ...world.env, ISSUER } });
    t.teardown(() => api.stop());
    const { status, headers } = await call(`${api.url}${PATHS[name]}`, token);
    t.is(status, 503, `${name}: ${api.said()}`);
    t.is(headers.get('www-authenticate'), null, name);
  }
});
