import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { doorway, listen } from '../../src/http/index.ts';
import { until } from '../support/until.ts';

/** A door somebody already waits at. */
async function crowded(t: ExecutionContext) {
  const door = doorway();
  let arrived = 0;
  const handler: typeof door.handler = (req, res) => {
    arrived += 1;
    door.handler(req, res);
  };
  const { url, port, close } = await listen({ handler, host: '127.0.0.1', port: 0 });
  t.teardown(() => close({ grace: 0 }));
  const answer = fetch(url).then((response) => response.text());
  answer.catch(() => {});
  await until(() => arrived === 1);
  return { door, url, port, answer, arrived: () => arrived };
}

test('who came before there was anyone to answer is answered, and first', async (t) => {
  const { door, url, answer } = await crowded(t);
  const finish = Promise.withResolvers<void>();
  const order: string[] = [];
  const opened = door
    .open(async (_req, res) => {
      await finish.promise;
      res.end('here', () => order.push('answered'));
    })
    .then(() => order.push('opened'));
  setTimeout(finish.resolve, 50);
  t.is(await answer, 'here');
  await opened;
  t.deepEqual(order, ['answered', 'opened']);
  t.is(await (await fetch(url)).text(), 'here');
});

test('who waits and gives up is not waited for', async (t) => {
  const { door, port, answer, arrived } = await crowded(t);
  const impatient = connect(port, '127.0.0.1', () => impatient.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'));
  await until(() => arrived() === 2);
  impatient.destroy();
  let answered = 0;
  await door.open((_req, res) => {
    answered += 1;
    res.end('here');
  });
  t.is(await answer, 'here');
  t.is(answered, 2);
});

test('who is answered slowly is not waited for long', async (t) => {
  const { door, answer } = await crowded(t);
  let finish: (() => void) | undefined;
  await door.open((_req, res) => {
    finish = () => void res.end('late');
  });
  finish?.();
  t.is(await answer, 'late');
});
