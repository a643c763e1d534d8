import test from 'ava';
import * as oidc from 'openid-client';
import { hours } from '../../src/lib/index.ts';
import { discover, request } from '../support/client.ts';
import { pass, stop } from '../support/clock.ts';
import { send } from '../support/hostile.ts';
import { addClient, CALLBACK, startPostern } from '../support/postern.ts';
import { UserAgent } from '../support/user-agent.ts';

/** A network may begin so many at once. */
const BURST = 2000;

test('requests that anybody’s client pushes count as sign-ins begun, one that is asked again too', async (t) => {
  const postern = await startPostern({ env: { POSTERN_TRUSTED_PROXIES: '127.0.0.1', POSTERN_REGISTRATION: 'open' } });
  t.teardown(() => postern.close());
  const [spa, web] = [await addClient(postern, { type: 'spa' }), await addClient(postern)];
  const push = async ({ id, secret }: { id: string; secret?: string | undefined }, address: string) => {
    const { url } = await request(await discover(postern, { id, secret }));
    const body = `${url.searchParams}${secret ? `&client_secret=${secret}` : ''}`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': address };
    return () => send(postern.url, { method: 'POST', path: '/par', headers, body });
  };

  const agent = new UserAgent(postern.issuer, { 'x-forwarded-for': '203.0.113.9' });
  const asked = await request(await discover(postern, spa));
  const parameters = Object.fromEntries(asked.url.searchParams);
  const evening = await agent.get(await oidc.buildAuthorizationUrlWithPAR(asked.config, parameters));
  pass(hours(12));
  stop();
  t.is((await agent.get(evening.url)).page, 'login');
  const stranger = await push(spa, '203.0.113.1');
  let pushed = 0;
  const work = async (): Promise<void> => {
    while (pushed <= BURST && (await stranger()).status === 201) pushed += 1;
  };
  await Promise.all(Array.from({ length: 32 }, work));
  // What was begun in the evening is asked again by two requests.
  t.is(pushed, BURST - 2);

  const refused = await stranger();
  t.is(refused.status, 429);
  t.is(JSON.parse(refused.text).error, 'temporarily_unavailable');
  t.is(refused.headers['retry-after'], '1');
  const kept = async () => (await postern.store.find('pushed_requests', 'all', '', { limit: 5000 })).rows.length;
  const before = await kept();
  t.is((await stranger()).status, 429);
  t.is((await agent.get(evening.url)).status, 429, 'the same network');
  t.is(await kept(), before);
  t.is((await (await push(spa, '198.51.100.1'))()).status, 201, 'another network');
  t.is((await (await push(web, '203.0.113.1'))()).status, 201, 'a client that proves itself');

  const registered = await fetch(`${postern.issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: [CALLBACK] }),
  });
  const { client_id: id, client_secret: secret } = (await registered.json()) as Record<string, string>;
  const its = await push({ id: id!, secret }, '203.0.113.1');
  t.is((await its()).status, 429, 'nor does it help to register one that does');
  await postern.domain.clients.update(id!, { vouched: true });
  t.is((await its()).status, 201, 'an operator vouches for it');
});
