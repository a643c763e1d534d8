import test from 'ava';
import { apiTests, call } from './support/api-tests.ts';
import { START } from './support/starts.ts';
import { PERSON } from './support/world.ts';

const running = apiTests(test, {
  protectedPath: '/api/protected/',
  scoped: { path: '/api/files/', readScope: 'files.read', writeScope: 'files.write' },
  start: START['django-api'],
});

interface Tokens {
  readonly access: string;
  readonly refresh: string;
  readonly detail?: string;
}

async function post(path: string, body: object): Promise<{ status: number; json: Tokens }> {
  const response = await fetch(`${running.api.url}/api/token/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, json: JSON.parse(text || '{}') as Tokens };
}

test('obtain and refresh: the pair of before, with Postern issuing', async (t) => {
  const { status, json } = await post('', PERSON);
  t.is(status, 200, json.detail);
  t.is((await call(`${running.api.url}/api/protected/`, json.access)).status, 200);
  t.is((await call(`${running.api.url}/api/files/`, json.access)).status, 200);
  t.is((await call(`${running.api.url}/api/files/`, json.access, { method: 'POST' })).status, 403);
  const refreshed = await post('refresh/', { refresh: json.refresh });
  t.is(refreshed.status, 200, refreshed.json.detail);
  t.not(refreshed.json.refresh, json.refresh);
  t.is((await call(`${running.api.url}/api/protected/`, refreshed.json.access)).status, 200);
});

test('a revoked refresh token is refused', async (t) => {
  const { json } = await post('', PERSON);
  t.is((await post('revoke/', { refresh: json.refresh })).status, 204);
  t.is((await post('refresh/', { refresh: json.refresh })).status, 401);
});

test('a wrong password and an unknown person get 401', async (t) => {
  t.is((await post('', { ...PERSON, password: 'wrong horse' })).status, 401);
  t.is((await post('', { ...PERSON, email: 'nobody@example.com' })).status, 401);
  t.is((await post('', {})).status, 401);
});

test('whatever is sent instead of a name and a password is refused, and breaks nothing', async (t) => {
  for (const path of ['/api/token/', '/api/token/refresh/', '/api/token/revoke/'])
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
