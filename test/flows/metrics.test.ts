import test from 'ava';
import * as oidc from 'openid-client';
import { authorize, discover, request } from '../support/client.ts';
import { freePort } from '../support/free-port.ts';
import { addClient, addPerson, startPostern } from '../support/postern.ts';
import { connectDevice } from '../support/television.ts';
import { UserAgent } from '../support/user-agent.ts';

test('a sign-in and its tokens are counted on the ops listener, and readiness ends with the server', async (t) => {
  // Not 0, which turns the ops listener off.
  const ops = `http://127.0.0.1:${await freePort()}`;
  const postern = await startPostern({ env: { POSTERN_OPS_PORT: new URL(ops).port } });
  t.is((await fetch(`${ops}/readyz`)).status, 200);
  await addPerson(postern);
  const client = await addClient(postern);
  await authorize(postern, client);
  const television = await addClient(postern, { type: 'native', redirectUris: [], deviceGrant: true });
  await connectDevice(postern, television);
  const another = await oidc.initiateDeviceAuthorization(await discover(postern, television), { scope: 'openid' });
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    client_id: television.id,
    device_code: another.device_code,
  });
  for (let asked = 0; asked < 2; asked++) await fetch(`${postern.issuer}/token`, { method: 'POST', body });
  const agent = new UserAgent(postern.issuer);
  const page = await agent.get((await request(await discover(postern, client))).url);
  await agent.submit(page, { email: 'ada@example.com', password: 'not the password' });
  const text = await (await fetch(`${ops}/metrics`)).text();
  for (const line of [
    'postern_sign_ins_total{outcome="succeeded"} 2',
    'postern_sign_ins_total{outcome="wrong"} 1',
    'postern_tokens_issued_total{grant="authorization_code"} 1',
    'postern_tokens_issued_total{grant="device_code"} 1',
    'postern_http_requests_total{endpoint="device_authorization",status="2xx",error="none"} 2',
    'postern_http_requests_total{endpoint="token",status="4xx",error="authorization_pending"} 1',
    'postern_http_requests_total{endpoint="token",status="4xx",error="slow_down"} 1',
    'postern_http_requests_total{endpoint="token",status="2xx",error="none"} 2',
    'postern_store_writable 1',
  ])
    t.true(text.includes(`${line}\n`), line);
  t.regex(text, /postern_store_commit_duration_seconds_count [1-9]/);
  await postern.close();
  await t.throwsAsync(fetch(`${ops}/readyz`));
});
