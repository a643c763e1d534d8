import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import test from 'ava';
import { createMetrics, listen, type Receiving, receive, serveOps } from '../../src/http/index.ts';
import { milliseconds, seconds, silent } from '../../src/lib/index.ts';
import { store } from './support.ts';

const HOST = '127.0.0.1';
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function ask(port: number, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const req = request({ host: HOST, port, agent }, (res) => {
      let text = '';
      res.on('data', (chunk) => {
        text += chunk;
      });
      res.on('end', () => resolve(text));
      res.on('error', reject);
    });
    req.on('error', reject).end();
  });
}

test('a port in use is refused in words', async (t) => {
  const first = await listen({ handler: (_, res) => res.end(), host: HOST, port: 0 });
  const second = listen({ handler: (_, res) => res.end(), host: HOST, port: first.port });
  const error = await t.throwsAsync(second, { code: 'address_in_use' });
  t.regex(error?.message ?? '', new RegExp(`port ${first.port} on 127.0.0.1 is in use`));
  const ops = {
    ready: async () => ({ ok: true, checks: {} }),
    draining: () => false,
    metrics: createMetrics({ store }),
  };
  const third = serveOps({ ...ops, logger: silent, host: HOST, port: first.port });
  await t.throwsAsync(third, { message: /in use by another program: .*POSTERN_OPS_PORT/ });
  await first.close();
});

test('a host that is not ours is refused in words', async (t) => {
  await t.throwsAsync(listen({ handler: () => {}, host: '192.0.2.1', port: 0 }), {
    code: 'address_unknown',
    message: /192\.0\.2\.1/,
  });
  await t.throwsAsync(listen({ handler: () => {}, host: 'no-such-host.invalid', port: 0 }), {
    code: 'address_unknown',
  });
});

test('the address says the port that was taken, an IPv6 one in brackets', async (t) => {
  const v4 = await listen({ handler: (_, res) => res.end(), host: HOST, port: 0 });
  t.is(v4.url, `http://127.0.0.1:${v4.port}`);
  t.true(v4.port > 0);
  await v4.close();
  const v6 = await listen({ handler: (_, res) => res.end(), host: '::1', port: 0 });
  t.is(v6.url, `http://[::1]:${v6.port}`);
  t.is(await (await fetch(v6.url)).text(), '');
  await v6.close({ grace: milliseconds(50) });
});

test('draining under keep-alive load loses no request', async (t) => {
  let answered = 0;
  let lost = 0;
  const causes = new Set<string>();
  let refused = 0;
  for (let round = 0; round < 8; round++) {
    const server = await listen({
      handler: (_, res) => void setTimeout(() => res.end('ok'), Math.random() * 8),
      host: HOST,
      port: 0,
      linger: milliseconds(300),
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    let stop = false;
    const workers = Array.from({ length: 16 }, async () => {
      while (!stop) {
        try {
          t.is(await ask(server.port, agent), 'ok');
          answered++;
        } catch (error) {
          // Refused is a connection that was never made: nothing of it was lost, and the next process takes it.
          if ((error as { code?: string }).code === 'ECONNREFUSED') {
            refused++;
            return;
          }
          lost++;
          causes.add(String(error));
        }
        await sleep(Math.random() * 10);
      }
    });
    await sleep(80 + round * 13);
    t.false(server.draining);
    const closed = server.close();
    t.true(server.draining);
    await closed;
    await Promise.all(workers);
    stop = true;
    agent.destroy();
  }
  t.log(`${answered} answered, ${lost} lost, ${refused} refused after the end, in 8 drains`);
  t.is(lost, 0, [...causes].join('; '));
  t.true(answered > 8 * 16, `${answered}`);
});

test('a request under way is answered before the end, and told to go elsewhere', async (t) => {
  let begun: () => void = () => {};
  const started = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const server = await listen({
    handler: (_, res) => {
      begun();
      setTimeout(() => res.end('late'), 150);
    },
    host: HOST,
    port: 0,
  });
  const answer = fetch(server.url);
  await started;
  const closed = server.close();
  const response = await answer;
  t.is(response.headers.get('connection'), 'close');
  t.is(await response.text(), 'late');
  await closed;
  await t.throwsAsync(fetch(server.url));
});

test('connections that wait to be accepted when the end begins are answered', async (t) => {
  const server = await listen({ handler: (_, res) => res.end('ok'), host: HOST, port: 0, linger: milliseconds(200) });
  const sockets = Array.from({ length: 50 }, () => connect(server.port, HOST));
  const answers = sockets.map(async (socket) => {
    let text = '';
    for await (const chunk of socket) text += chunk;
    return text.slice(0, 15);
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  // One is accepted a turn: most of them wait.
  const closed = server.close();
  t.deepEqual([...new Set(await Promise.all(answers))], ['HTTP/1.1 200 OK']);
  await closed;
});

test('an idle connection still gets an answer while it lingers', async (t) => {
  const server = await listen({ handler: (_, res) => res.end('ok'), host: HOST, port: 0, linger: seconds(2) });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.is(await ask(server.port, agent), 'ok');
  const closed = server.close();
  await sleep(150);
  t.is(await ask(server.port, agent), 'ok');
  await closed;
  agent.destroy();
});

test('what does not end within the grace is cut, and closing again waits for the same end', async (t) => {
  const server = await listen({ handler: () => {}, host: HOST, port: 0 });
  const hanging = fetch(server.url).catch((error: Error) => error);
  await sleep(50);
  const before = performance.now();
  const first = server.close({ grace: milliseconds(200) });
  t.is(server.close(), first);
  await first;
  const took = performance.now() - before;
  t.true(took > 150 && took < seconds(9), String(took));
  t.true((await hanging) instanceof Error);
});

test('a sender that never ends its headers is answered 408 and let go', async (t) => {
  const server = await listen({
    handler: (_, res) => res.end('ok'),
    host: HOST,
    port: 0,
    timeouts: {
      headersTimeout: milliseconds(150),
      requestTimeout: milliseconds(300),
      connectionsCheckingInterval: milliseconds(50),
    },
  });
  const text = await new Promise<string>((resolve) => {
    let said = '';
    const socket = connect(server.port, HOST, () => socket.write('GET / HTTP/1.1\r\nHost: a\r\nX-Slow: '));
    socket.on('data', (chunk) => {
      said += chunk;
    });
    socket.on('close', () => resolve(said));
  });
  t.regex(text, /^HTTP\/1\.1 408 /);
  await server.close({ grace: seconds(1) });
});

test('bytes that are no HTTP are answered 400 and hurt nobody', async (t) => {
  const server = await listen({ handler: (_, res) => res.end('ok'), host: HOST, port: 0, linger: 0 });
  for (const bytes of [
    '\x16\x03\x01\x02',
    'GET / HTTP/9.9\r\n\r\n',
    '\r\n\r\n\0',
    'GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
  ]) {
    const text = await new Promise<string>((resolve) => {
      let said = '';
      const socket = connect(server.port, HOST, () => socket.end(bytes, 'latin1'));
      socket.on('data', (chunk) => {
        said += chunk;
      });
      socket.on('close', () => resolve(said));
    });
    t.regex(text, /^HTTP\/1\.1 400 /, JSON.stringify(bytes));
  }
  t.is(await (await fetch(server.url)).text(), 'ok');
  await server.close({ grace: milliseconds(100) });
});

/** A server whose connections somebody else accepts, as a primary process does. */
async function handed(options: Partial<Parameters<typeof receive>[0]> = {}) {
  const accepting: Server = createServer({ pauseOnConnect: true }, (socket: Socket) => server.take(socket));
  accepting.listen(0, HOST);
  await once(accepting, 'listening');
  const { port } = accepting.address() as AddressInfo;
  const server: Receiving = receive({ handler: (_, res) => res.end('ok'), url: `http://${HOST}`, port, ...options });
  return { server, port, accepting };
}

test('connections that were accepted elsewhere are served and drained like its own', async (t) => {
  const { server, port, accepting } = await handed({ linger: seconds(1) });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.is(await ask(port, agent), 'ok');
  t.is(await ask(port, agent), 'ok');
  const began = performance.now();
  const closed = server.close();
  t.true(server.draining);
  await sleep(50);
  t.is(await ask(port, agent), 'ok', 'an idle connection still gets an answer');
  await closed;
  t.true(performance.now() - began < seconds(9));
  agent.destroy();
  accepting.close();
});

test('such a connection is cut when its sender is slow, and after the grace', async (t) => {
  const { server, port, accepting } = await handed({
    handler: () => {},
    timeouts: {
      headersTimeout: milliseconds(150),
      requestTimeout: milliseconds(300),
      connectionsCheckingInterval: milliseconds(50),
    },
  });
  const say = async (text: string) => {
    const socket = connect(port, HOST);
    let said = '';
    socket.on('data', (chunk) => {
      said += chunk;
    });
    socket.write(text);
    await once(socket, 'close');
    return said;
  };
  t.regex(await say('GET / HTTP/1.1\r\nHost: a\r\nX-Slow: '), /^HTTP\/1\.1 408 /);
  const hanging = say('GET /hang HTTP/1.1\r\nHost: a\r\n\r\n');
  await sleep(50);
  const began = performance.now();
  await server.close({ grace: milliseconds(100) });
  t.true(performance.now() - began < seconds(9));
  t.is(await hanging, '');
  accepting.close();
});
