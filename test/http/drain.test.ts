import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { drainable } from '../../src/http/drain.ts';
import { seconds } from '../../src/lib/index.ts';

test('no answer sends its client away before the port is closed: its new connection would be reset with it', async (t) => {
  const server = createServer();
  const { answering, drain } = drainable(server, seconds(1));
  server.on('request', (_, res) => {
    answering(res);
    res.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const connection = async () => {
    const response = await fetch(`http://127.0.0.1:${port}`);
    await response.text();
    return response.headers.get('connection');
  };
  const closed = Promise.withResolvers<void>();
  const drained = drain(seconds(10), () => closed.promise);
  t.is(await connection(), 'keep-alive');
  closed.resolve();
  await closed.promise;
  t.is(await connection(), 'close');
  await drained;
});
