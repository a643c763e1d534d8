import type { LookupAddress } from 'node:dns';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, isIPv4, type Server } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { milliseconds, parseAddress, seconds } from '../../src/lib/index.ts';
import { createOutbound, type OutboundError } from '../../src/outbound/index.ts';
import { bounded } from '../../src/outbound/lookup.ts';
import type { OutboundOptions } from '../../src/outbound/outbound.ts';
import { isPublic } from '../../src/outbound/reach.ts';
import { answering } from '../support/answering.ts';

interface Peer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

async function on(server: Server): Promise<Peer> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const peer = (listener: RequestListener): Promise<Peer> => on(createServer(listener));

const outbound = (options: Partial<OutboundOptions> = {}) =>
  createOutbound({ allow: ['127.0.0.1'], timeout: seconds(5), ...options });

const at = (...addresses: string[]): LookupAddress[] =>
  addresses.map((address) => ({ address, family: isIPv4(address) ? 4 : 6 }));

async function refused(work: Promise<unknown>): Promise<Partial<OutboundError>> {
  return work.then(
    () => ({}),
    (error: OutboundError) => error,
  );
}

test('an answer comes back with its status, type and body; the request carries what it was given', async (t) => {
  await using there = await peer(
    answering(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      response.writeHead(201, { 'content-type': 'application/json', 'x-other': 'unread' });
      response.end(JSON.stringify({ method: request.method, type: request.headers['content-type'], body }));
    }),
  );
  const answer = await outbound().fetch(there.url, { method: 'POST', body: new URLSearchParams({ a: 'ü' }) });
  t.is(answer.status, 201);
  t.is(answer.headers.get('x-other'), null);
  t.deepEqual(await answer.json(), {
    method: 'POST',
    type: 'application/x-www-form-urlencoded;charset=UTF-8',
    body: 'a=%C3%BC',
  });
});

test('no private address is public, however it is written, and public ones are', (t) => {
  for (const address of [
    '10.1.2.3',
    '127.0.0.1',
    '169.254.169.254',
    '172.31.255.255',
    '192.168.0.1',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:a00:1',
    '::10.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    'fe80::1%eth0',
    'fd00::1',
    'ff02::1',
    '2001:db8::1',
    '2002:a00:1::',
  ])
    t.false(isPublic(parseAddress(address) ?? ''), address);
  for (const address of ['1.1.1.1', '140.82.121.4', '172.32.0.1', '2606:4700::1111', '64:ff9b::8c52:7904'])
    t.true(isPublic(parseAddress(address) ?? ''), address);
});

test('every address of the private IPv4 networks is refused inside IPv6 too', (t) => {
  const octet = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(fc.constantFrom('10', '127', '169.254', '192.168'), octet, octet, octet, (net, a, b, c) => {
      const address = `${net}.${[a, b, c].slice(0, 4 - net.split('.').length).join('.')}`;
      return !isPublic(parseAddress(address) ?? '') && !isPublic(parseAddress(`::ffff:${address}`) ?? '');
    }),
  );
  t.pass();
});

test('a private address is not reached, neither by itself nor by a name that leads to it', async (t) => {
  let reached = 0;
  await using there = await peer((_, response) => {
    reached += 1;
    response.end();
  });
  const closed = createOutbound({ allow: [], timeout: seconds(5), resolve: async () => at('127.0.0.1') });
  for (const host of ['127.0.0.1', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', 'innocent.localhost', 'localhost'])
    t.like(await refused(closed.fetch(`http://${host}:${there.port}/`)), { fault: 'forbidden' }, host);
  for (const host of ['innocent.example', '10.0.0.1', '[fd00::1]'])
    t.like(await refused(closed.fetch(`https://${host}:${there.port}/`)), { fault: 'forbidden' }, host);
  t.is(reached, 0);
});

test('a name is asked for once, and of its addresses only those that were judged good are connected to', async (t) => {
  let asked = 0;
  let reached = 0;
  await using there = await peer((_, response) => {
    reached += 1;
    response.end();
  });
  const resolve = async () => {
    asked += 1;
    // The second is a public address at which nobody is.
    return asked === 1 ? at('127.0.0.1', '1.0.0.0') : at('127.0.0.1');
  };
  const closed = createOutbound({ allow: [], timeout: milliseconds(300), resolve });
  t.truthy((await refused(closed.fetch(`http://x.localhost:${there.port}/`))).fault);
  t.is(asked, 1);
  t.is(reached, 0);
});

test('a host that is allowed by name is reached wherever it is, and no other is', async (t) => {
  await using there = await peer((_, response) => response.end('here'));
  const some = outbound({ allow: ['Idp.localhost'], resolve: async () => at('127.0.0.1') });
  t.is(await (await some.fetch(`http://idp.localhost:${there.port}/`)).text(), 'here');
  t.like(await refused(some.fetch(`http://other.localhost:${there.port}/`)), {
    fault: 'forbidden',
    message: `other.localhost:${there.port}: other.localhost is at 127.0.0.1, a private network that outbound.allow does not name`,
  });
  t.like(await refused(some.fetch(there.url)), { fault: 'forbidden' });
});

test('plain http leaves this machine for nobody, and no URL may hold a password or another scheme', async (t) => {
  for (const url of ['http://example.com/', 'http://10.0.0.1/', 'https://a:b@example.com/', 'ftp://example.com/'])
    t.like(await refused(outbound({ allow: ['10.0.0.0/8', 'example.com'] }).fetch(url)), { fault: 'forbidden' }, url);
});

test('a redirect is not followed', async (t) => {
  let reached = 0;
  await using secret = await peer((_, response) => {
    reached += 1;
    response.end('secret');
  });
  await using there = await peer((_, response) => response.writeHead(302, { location: secret.url }).end());
  const answer = await outbound().fetch(there.url);
  t.is(answer.status, 302);
  t.is(answer.headers.get('location'), secret.url);
  t.is(reached, 0);
});

test('a huge answer is cut off, and an endless one ends with the time', async (t) => {
  const chunk = 'x'.repeat(64 * 1024);
  await using huge = await peer((_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
      response.once('drain', more);
    };
    more();
  });
  t.like(await refused(outbound().fetch(huge.url)), { fault: 'unreadable' });
  await using endless = await peer((_, response) => {
    const timer = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(timer));
  });
  await using silent = await peer(() => {});
  await using deaf = await on(createTcpServer(() => {}));
  for (const { url } of [endless, silent, deaf]) {
    const startedAt = performance.now();
    t.like(await refused(outbound({ timeout: milliseconds(200) }).fetch(url)), { fault: 'slow' });
    t.true(performance.now() - startedAt < 2000);
  }
});

test('what does not speak HTTP, breaks off, or is not there is told apart from a bug', async (t) => {
  await using noise = await on(createTcpServer((socket) => void socket.end('SSH-2.0-OpenSSH\r\n')));
  t.like(await refused(outbound().fetch(noise.url)), { fault: 'unreadable' });
  await using switched = await on(
    createTcpServer((socket) => void socket.write('HTTP/1.1 101 Over\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')),
  );
  t.like(await refused(outbound().fetch(switched.url)), { fault: 'unreadable' });
  await using torn = await on(
    createTcpServer((socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc')),
  );
  t.like(await refused(outbound().fetch(torn.url)), { fault: 'unreachable' });
  const gone = await peer(() => {});
  await gone[Symbol.asyncDispose]();
  t.like(await refused(outbound().fetch(gone.url)), { fault: 'unreachable' });
  const nowhere = outbound({
    resolve: () => Promise.reject(Object.assign(new Error('not found'), { code: 'ENOTFOUND' })),
  });
  t.regex((await refused(nowhere.fetch('https://nowhere.example/'))).message ?? '', /nowhere\.example.*ENOTFOUND/);
});

test('whoever asks may give up, and is told so in the words of fetch', async (t) => {
  await using silent = await peer(() => {});
  const error = await refused(outbound().fetch(silent.url, { signal: AbortSignal.timeout(50) }));
  t.is(error.name, 'AbortError');
});

test('one name is looked up once at a time, and two names at most hold a thread', async (t) => {
  const open: { host: string; done: () => void }[] = [];
  const resolve = bounded(
    (host) => new Promise<LookupAddress[]>((done) => open.push({ host, done: () => done(at('1.1.1.1')) })),
  );
  const answers = ['a', 'a', 'b', 'c', 'a', 'c'].map((host) => resolve(host));
  await Promise.resolve();
  t.deepEqual(
    open.map(({ host }) => host),
    ['a', 'b'],
  );
  open[0]?.done();
  await answers[0];
  await new Promise(setImmediate);
  t.deepEqual(
    open.map(({ host }) => host),
    ['a', 'b', 'c'],
  );
  for (const { done } of open) done();
  t.is((await Promise.all(answers)).length, 6);
});
