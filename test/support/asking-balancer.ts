/**
 * A balancer that does what examples/cluster/haproxy.cfg says, as far as Postern can tell: it asks each server whether it is
 * ready, as often as written there, sends requests in turn to those that are, and to any where none is.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answering } from './answering.ts';

interface Behind {
  readonly port: number;
  readonly ops: number;
}

interface Rules {
  /** Asked of the ops port. */
  readonly path: string;
  readonly interval: number;
  /** Requests that reached no server go to the next one, so often. */
  readonly retries: number;
}

/** The rules as they stand in the configuration. @throws where one of them is no longer there */
export function rulesOf(configuration: string): Rules {
  const found = (pattern: RegExp): string => {
    const value = pattern.exec(configuration)?.[1];
    if (!value) throw new Error(`the configuration does not say ${pattern}`);
    return value;
  };
  found(/(option redispatch 1)/);
  found(/(http-request set-header X-Forwarded-For %\[src\])/);
  found(/(use_backend anyway if \{ nbsrv\(ready\) eq 0 \})/);
  found(/backend ready\n {2}(balance roundrobin)/);
  return {
    path: found(/option httpchk GET (\S+)/),
    interval: Number(found(/backend ready\n[\s\S]*?inter (\d+)ms fall 1 rise 1/)),
    retries: Number(found(/retries (\d+)/)),
  };
}

export async function askingBalancer(behind: readonly Behind[], { path, interval, retries }: Rules) {
  const ready = new Set<Behind>();
  let turn = 0;
  /** @param refused the server that has just refused this request */
  const next = (refused: Behind | undefined): Behind => {
    const able = ready.size > 0 ? behind.filter((server) => ready.has(server)) : behind;
    const others = able.filter((server) => server !== refused);
    const choice = others.length > 0 ? others : able;
    turn += 1;
    return choice[turn % choice.length]!;
  };
  const check = async (server: Behind): Promise<void> => {
    const signal = AbortSignal.timeout(2000);
    const answer = await fetch(`http://127.0.0.1:${server.ops}${path}`, { signal }).catch(() => undefined);
    if (answer?.ok) ready.add(server);
    else ready.delete(server);
  };
  const timers = behind.map((server) => setInterval(() => void check(server), interval));

  function pass(req: IncomingMessage, res: ServerResponse, body: Buffer, left: number, refused?: Behind): void {
    const to = next(refused);
    const headers = { ...req.headers, 'x-forwarded-for': req.socket.remoteAddress, connection: 'close' };
    const options = { host: '127.0.0.1', port: to.port, path: req.url, method: req.method, headers, agent: false };
    const there = request(options, (answer) => {
      res.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(res);
      answer.on('error', () => res.destroy());
    });
    there.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED' && left > 0) pass(req, res, body, left - 1, to);
      else if (res.headersSent) res.destroy();
      else res.writeHead(502).end();
    });
    there.end(body);
  }

  const server = createServer(
    answering(async (req, res) => pass(req, res, Buffer.concat(await req.toArray()), retries)),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      timers.forEach(clearInterval);
      server.closeAllConnections();
      server.close();
    },
  };
}
