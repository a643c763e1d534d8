import type { RequestListener } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type Front, inFront, listen, patiently, takeBody } from '../../src/http/index.ts';
import { type Duration, seconds } from '../../src/lib/index.ts';
import { inTime } from '../../src/store/patience.ts';

const LONG = seconds(600);
/** What a call of the store is given. */
const given = (): Promise<Duration> => inTime(LONG, async (left) => left);

async function givenTo(t: ExecutionContext, front: Front): Promise<Duration> {
  const whole: RequestListener = (_, res) => patiently(res, () => void given().then((left) => res.end(String(left))));
  const listening = await listen({ handler: inFront([front], whole), host: '127.0.0.1', port: 0 });
  t.teardown(() => listening.close({ grace: 0 }));
  return Number(await (await fetch(listening.url, { method: 'POST', body: 'four' })).text());
}

test('every request has its patience with the store', async (t) => {
  const left = await givenTo(t, (_req, _res, next) => next());
  t.true(left <= seconds(4));
});

test('a request whose body was given back has the same patience', async (t) => {
  const left = await givenTo(t, (req, _res, next) =>
    takeBody(req, 4, (taken) => {
      taken?.giveBack();
      next();
    }),
  );
  t.true(left <= seconds(4));
});

test('what waited in a short way has so much less left the whole way', async (t) => {
  const waiting = () => inTime(LONG, () => pause(300));
  const left = await givenTo(t, (_req, res, next) => void patiently(res, waiting).then(() => next()));
  t.true(left <= seconds(4) - 250, `${left} ms`);
});
