import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { SharedHead } from '../../src/http/shared-head.ts';
import { raw } from './support.ts';

const BODY = '{"keys":[]}';
const HEADERS = ['Content-Type', 'application/json', 'X-Own', 'a'];

/** Requests as they are written, but for the last line. */
const PLAIN = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const HEAD = PLAIN.replace('GET', 'HEAD');
const LAST = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const OLD = 'GET / HTTP/1.0\r\n\r\n';
const OLD_AND_OPEN = 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';

/** A server that writes its heads like this: what it answers to bytes, without the time, when it says that was, and how often Node put a head together. */
async function answering(
  t: ExecutionContext,
  write: (res: ServerResponse) => void,
  body: (res: ServerResponse) => string = () => BODY,
) {
  const made = { times: 0 };
  const server = createServer((_req, res) => {
    const { writeHead } = res;
    res.writeHead = ((...given: Parameters<typeof writeHead>) => {
      made.times += 1;
      return writeHead.apply(res, given);
    }) as typeof writeHead;
    write(res);
    res.end(body(res), 'latin1');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return {
    made,
    answers: async (bytes: string) => (await raw(port, bytes)).replaceAll(/^Date: .*$/gm, 'Date'),
    dates: async (bytes: string) => [...(await raw(port, bytes)).matchAll(/^Date: (.*)\r$/gm)].map(([, date]) => date!),
  };
}

test('an answer’s date is the second in which it is given, whenever Node looks at the clock', async (t) => {
  let at = Date.UTC(2026, 0, 1);
  const head = new SharedHead(200, HEADERS, () => at);
  const { dates } = await answering(t, (res) => {
    head.write(res, BODY.length);
    at += 400;
  });
  t.deepEqual(
    (await dates(PLAIN.repeat(5) + LAST)).map((date) => date.slice(-6)),
    ['00 GMT', '00 GMT', '00 GMT', '01 GMT', '01 GMT', '02 GMT'],
  );
});

test('the answers of one second have the head that was put together for the first of them', async (t) => {
  let at = 10_000;
  const head = new SharedHead(200, HEADERS, () => at);
  const { made, answers } = await answering(t, (res) => head.write(res, BODY.length));
  const connection = [PLAIN, PLAIN, HEAD, PLAIN, LAST].join('');
  await answers(connection);
  t.is(made.times, 2, 'the first, and the one that closes');
  at += 999;
  await answers(connection);
  t.is(made.times, 3);
  at += 1;
  await answers(connection);
  t.is(made.times, 5);
});

test('whatever is asked before, each gets the bytes that Node would have answered', async (t) => {
  const head = new SharedHead(200, HEADERS);
  const shared = await answering(t, (res) => head.write(res, BODY.length));
  const plain = await answering(
    t,
    (res) => void res.writeHead(200, [...HEADERS, 'Content-Length', String(BODY.length)]),
  );
  for (const before of ['', PLAIN, HEAD, OLD_AND_OPEN, PLAIN + HEAD])
    for (const last of [LAST, OLD]) {
      const bytes = before + PLAIN + before + last;
      t.is(await shared.answers(bytes), await plain.answers(bytes), bytes);
    }
  t.true(shared.made.times < plain.made.times);
});

test('an answer whose connection is to end says so', async (t) => {
  const head = new SharedHead(200, HEADERS);
  let draining = false;
  const { answers } = await answering(t, (res) => {
    if (draining) res.shouldKeepAlive = false;
    head.write(res, BODY.length);
  });
  await answers(PLAIN + LAST);
  draining = true;
  t.regex(await answers(PLAIN), /^Connection: close\r$/m);
});

test('a header that was set for one answer is given with that one, and with no other', async (t) => {
  const head = new SharedHead(200, HEADERS);
  let n = 0;
  const { answers } = await answering(t, (res) => {
    n += 1;
    if (n % 2 === 0) res.setHeader('X-Mine', n);
    head.write(res, BODY.length);
  });
  const said = await answers(PLAIN.repeat(4) + LAST);
  t.deepEqual(
    said.split(/(?=HTTP\/1\.1 )/).map((answer) => /X-Mine: (\d)/.exec(answer)?.[1]),
    [undefined, '2', undefined, '4', undefined],
  );
});

test('answers of another length have another head', async (t) => {
  const head = new SharedHead(200, HEADERS);
  const { made, answers } = await answering(
    t,
    (res) => head.write(res, res.req.url!.length),
    (res) => res.req.url!,
  );
  const said = await answers(['/a', '/bb', '/c', '/dd'].map((path) => PLAIN.replace('/ ', `${path} `)).join('') + LAST);
  t.deepEqual(said.match(/(?<=\r\n\r\n)\/[a-d]*/g), ['/a', '/bb', '/c', '/dd', '/']);
  t.is(made.times, 3);
});

test('a second head for one answer is refused like Node’s own', async (t) => {
  const head = new SharedHead(200, HEADERS);
  const refused: unknown[] = [];
  const { answers } = await answering(t, (res) => {
    head.write(res, BODY.length);
    refused.push(t.throws(() => head.write(res, BODY.length), { code: 'ERR_HTTP_HEADERS_SENT' }));
  });
  await answers(PLAIN + LAST);
  t.is(refused.length, 2);
});
