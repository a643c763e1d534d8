import test from 'ava';
import { decodeProtectedHeader } from 'jose';
import { apiTests, call } from './support/api-tests.ts';
import { START } from './support/starts.ts';
import { PERSON } from './support/world.ts';

const running = apiTests(test, {
  protectedPath: '/protected',
  scoped: { path: '/reports', readScope: 'reports.read', writeScope: 'reports.write' },
  start: START['flask-api'],
});

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly msg?: string;
}

async function post(path: string, body: object): Promise<{ status: number; json: Tokens }> {
  const response = await fetch(`${running.api.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, json: (await response.json()) as Tokens };
}

test('login, the protected route, refresh: the routes an application had before, with Postern issuing', async (t) => {
  const { status, json } = await post('/login', PERSON);
  t.is(status, 200, json.msg);
  t.like(decodeProtectedHeader(json.access_token), { alg: 'RS256', typ: 'at+jwt' });
  const answer = await call(`${running.api.url}/protected`, json.access_token);
  const person = await running.world.postern.domain.accounts.byEmail(PERSON.email);
  t.deepEqual(await answer.json(), { logged_in_as: person?.id });
  const refreshed = await post('/refresh', { refresh_token: json.refresh_token });
  t.is(refreshed.status, 200, refreshed.json.msg);
  t.not(refreshed.json.refresh_token, json.refresh_token);
  t.is((await call(`${running.api.url}/reports`, refreshed.json.access_token)).status, 200);
  t.is((await call(`${running.api.url}/reports`, refreshed.json.access_token, { method: 'POST' })).status, 403);
});

test('a wrong password, an unknown person and a refresh token that is none get 401 and nothing else', async (t) => {
  t.is((await post('/login', { ...PERSON, password: 'wrong horse' })).status, 401);
  t.is((await post('/login', { ...PERSON, email: 'nobody@example.com' })).status, 401);
  t.is((await post('/login', {})).status, 401);
  t.is((await post('/refresh', { refresh_token: 'garbage' })).status, 401);
});

test('whatever is sent instead of a name and a password is refused, and breaks nothing', async (t) => {
  for (const path of ['/login', '/refresh'])
    for (const body of [
      '',
      'garbage',
      '[]',
      '"x"',
      '7',
      'null',
      '{"email":{"a":1},"password":[1]}',
      '{"refresh":[[]]}',
    ]) {
      const headers = { 'content-type': 'application/json' };
      const { status } = await fetch(`${running.api.url}${path}`, { method: 'POST', headers, body });
      t.true(status < 500, `${path} ${body}: ${status} ${running.api.said()}`);
    }
});
