import { Agent, get, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import test from 'ava';
import { type Front, inFront, listen, patiently, SharedHead } from '../../src/http/index.ts';

setFlagsFromString('--allow-natives-syntax');
const sameShape = new Function('one', 'other', 'return %HaveSameMap(one, other)') as (
  one: object,
  other: object,
) => boolean;
// V8 reads the words when it is first called; the flag is that of all threads.
sameShape({}, {});
setFlagsFromString('--no-allow-natives-syntax');

const HEADERS = ['Content-Type', 'text/plain'];

test('however an answer is given, it has one shape for V8', async (t) => {
  const head = new SharedHead(200, HEADERS);
  const ways: ((res: ServerResponse) => void)[] = [
    (res) => void res.writeHead(200, [...HEADERS, 'Content-Length', '2']),
    (res) => head.write(res, 2),
    (res) => head.write(res, 2),
    (res) => patiently(res, () => head.write(res, 2)),
    (res) => patiently(res, () => res.writeHead(404)),
  ];
  const given: ServerResponse[] = [];
  const front: Front = (_req, res) => {
    ways[given.push(res) - 1]!(res);
    res.end('ok');
  };
  const listening = await listen({ handler: inFront([front], () => {}), host: '127.0.0.1', port: 0, linger: 0 });
  for (const _ of ways) await (await fetch(listening.url)).text();
  await listening.close({ grace: 0 });
  t.deepEqual(
    given.map((res) => sameShape(res, given[0]!)),
    ways.map(() => true),
  );
});

test('a connection has one shape for V8, from its first request on', async (t) => {
  const shapes: boolean[] = [];
  let first: Socket | undefined;
  const handler = inFront(
    [
      ({ socket }, res) => {
        if (first) shapes.push(sameShape(first, socket));
        first ??= socket;
        res.end('ok');
      },
    ],
    () => {},
  );
  const listening = await listen({ handler, host: '127.0.0.1', port: 0, linger: 0 });
  const agents = [new Agent({ keepAlive: true, maxSockets: 1 }), new Agent({ keepAlive: true, maxSockets: 1 })];
  const ask = (agent: Agent) =>
    new Promise((resolve) => get(listening.url, { agent }, (res) => res.resume().on('end', resolve)));
  for (const agent of [0, 0, 1, 0, 1]) await ask(agents[agent]!);
  for (const agent of agents) agent.destroy();
  await listening.close({ grace: 0 });
  t.deepEqual(shapes, [true, true, true, true]);
});
