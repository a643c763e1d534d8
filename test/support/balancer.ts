import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Balancer {
  readonly port: number;
  /** How long a new connection is kept waiting while nobody behind takes one, in milliseconds; 0 unless set. */
  patience: number;
  /** Ports of the servers behind it, asked in turn. */
  readonly behind: number[];
  /** Connections that went to each port. */
  readonly counted: Map<number, number>;
  close(): Promise<void>;
}

/** One address for several servers: each connection goes to the next one, and past one that does not answer. */
export async function balancer(): Promise<Balancer> {
  const sockets = new Set<Socket>();
  let turn = 0;
  const server = createServer((near) => {
    sockets.add(near);
    near.on('close', () => sockets.delete(near));
    near.on('error', () => near.destroy());
    turn += 1;
    pass(near, turn, self.behind.length, performance.now() + self.patience);
  });
  const pass = (near: Socket, at: number, tries: number, giveUp: number): void => {
    const port = self.behind[at % self.behind.length];
    if (tries === 0 || port === undefined) {
      if (performance.now() >= giveUp || near.destroyed) return void near.destroy();
      setTimeout(() => pass(near, at, self.behind.length, giveUp), 20);
      return;
    }
    const far = connect(port, '127.0.0.1');
    far.once('error', () => pass(near, at + 1, tries - 1, giveUp));
    far.once('connect', () => {
      far.removeAllListeners('error');
      far.on('error', () => near.destroy());
      self.counted.set(port, (self.counted.get(port) ?? 0) + 1);
      near.pipe(far).pipe(near);
      near.on('close', () => far.destroy());
      // What came from there is still handed on.
      far.on('close', () => near.destroySoon());
    });
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const self: Balancer = {
    port: (server.address() as { port: number }).port,
    patience: 0,
    behind: [],
    counted: new Map(),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return self;
}
