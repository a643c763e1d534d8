/** Requests that a client sends without waiting for answers (pipelining, RFC 9112 §9.3.2). */
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { listen } from '../../src/http/index.ts';
import { answering } from '../support/answering.ts';
import { until } from '../support/until.ts';

/** Answers each request with its body's length, after a while. Notes how many of them it had at once. */
async function open(t: ExecutionContext) {
  const seen = { begun: 0, now: 0, most: 0 };
  const handler = answering(async (req, res) => {
    seen.begun += 1;
    seen.now += 1;
    seen.most = Math.max(seen.most, seen.now);
    let length = 0;
    for await (const piece of req as AsyncIterable<Buffer>) length += piece.length;
    for (let i = 0; i < 3; i += 1) await turn();
    seen.now -= 1;
    res.end(`${req.url} ${length};`);
  });
  const listening = await listen({ handler, host: '127.0.0.1', port: 0, linger: 0 });
  t.teardown(() => listening.close({ grace: 0 }));
  return { seen, port: listening.port };
}

const request = (path: string, length = 0, more = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n${more}\r\n${'x'.repeat(length)}`;

/** Sends it all at once, and resolves with the bodies of the answers when the connection ends. */
const ask = (port: number, text: string): Promise<string[]> =>
  new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setEncoding('latin1').on('data', (piece: string) => {
      answer += piece;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve([...answer.matchAll(/\/\d+ \d+(?=;)/g)].map(([body]) => body)));
  });

test('a connection’s requests are answered one after the other and in order, however many come at once', async (t) => {
  const { seen, port } = await open(t);
  // Bodies that come with their request, behind it, and over many reads.
  const lengths = Array.from({ length: 400 }, (_, n) => [0, 7, 0, 300, 40_000][n % 5]!);
  const all = lengths.map((length, n) => request(`/${n}`, length, n === 399 ? 'Connection: close\r\n' : ''));
  t.deepEqual(
    await ask(port, all.join('')),
    lengths.map((length, n) => `/${n} ${length}`),
  );
  t.is(seen.most, 1);
});

test('one that sends more than it takes holds up nobody, and what it sent is forgotten with it', async (t) => {
  const { seen, port } = await open(t);
  const flood = connect(port, '127.0.0.1', () => flood.write(request('/0').repeat(50_000)));
  flood.on('error', () => {});
  flood.pause();
  await until(() => seen.begun > 0);
  t.deepEqual(await ask(port, request('/1', 5, 'Connection: close\r\n')), ['/1 5']);
  t.true(seen.most <= 2, `${seen.most} at once`);
  flood.destroy();
  await until(() => seen.now === 0);
  const { begun } = seen;
  for (let i = 0; i < 100; i += 1) await turn();
  t.true(seen.begun <= begun + 1);
});
