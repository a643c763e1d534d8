import test from 'ava';
import { createPace } from '../../src/http/index.ts';
import { answer, edge } from './support.ts';

test('a network begins so many sign-ins at once, then so many a second; others and loopback are not held up', async (t) => {
  const time = { at: 0 };
  const { paced } = createPace({ now: () => time.at, pace: { burst: 5, perSecond: 2 } });
  await using s = await edge([paced, answer(() => 'begun')], { trustedProxies: ['127.0.0.1'] });
  const begin = async (address: string, path = '/authorize') =>
    (await s.get(path, { headers: { 'x-forwarded-for': address } })).status;
  for (let i = 0; i < 5; i++) t.is(await begin(`203.0.113.${i}`), 200);
  t.is(await begin('203.0.113.77'), 429);
  t.is(await begin('203.0.113.77', '/userinfo'), 200);
  t.is(await begin('198.51.100.1'), 200);
  for (let i = 0; i < 10; i++) t.is(await begin('127.0.0.1'), 200);
  const refused = await s.get('/authorize', { headers: { 'x-forwarded-for': '203.0.113.1', accept: 'text/html' } });
  t.is(refused.headers.get('retry-after'), '1');
  t.regex(await refused.text(), /data-page="error"/);
  time.at += 500;
  t.is(await begin('203.0.113.1'), 200);
  t.is(await begin('203.0.113.1'), 429);
});
