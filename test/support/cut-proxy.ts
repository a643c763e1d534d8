import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

type Mode = 'forward' | 'cut-requests' | 'cut-answers' | 'swallow';

export interface CutProxy {
  readonly port: number;
  /** What is done to the next bytes: cut before they arrive, cut what comes back, or nothing ever comes back. */
  mode: Mode;
  /** Milliseconds that whatever comes back is held. */
  delay: number;
  /** What becomes of what comes back: as it is unless a test has it otherwise. */
  said: (bytes: Buffer) => Buffer;
  /** Cuts every connection there is. */
  cut(): void;
  close(): Promise<void>;
}

/** A line to a server that fails when a test wants it to. */
export async function cutProxy(target: number): Promise<CutProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    near.on('data', (bytes) => {
      if (proxy.mode === 'cut-requests') end();
      else if (proxy.mode !== 'swallow') far.write(bytes);
    });
    let before = Promise.resolve();
    far.on('data', (bytes) => {
      if (proxy.mode === 'cut-answers') end();
      else if (proxy.mode !== 'swallow')
        before = before.then(async () => {
          if (proxy.delay > 0) await pause(proxy.delay);
          if (!near.destroyed) near.write(proxy.said(bytes));
        });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: CutProxy = {
    port: (server.address() as { port: number }).port,
    mode: 'forward',
    delay: 0,
    said: (bytes) => bytes,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      proxy.cut();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
