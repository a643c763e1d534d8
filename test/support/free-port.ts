import { createServer } from 'node:net';

/** Below where systems take the ports of outgoing connections from (Linux: 32768), one of which could take ours meanwhile. */
const LOWEST = 12_000;
const SLOTS = 200;
const SLOT = 100;

/** Processes beside each other look in slots of their own, each port once until all were given. */
const slot = LOWEST + (process.pid % SLOTS) * SLOT;
let given = Math.floor(Math.random() * SLOT);

/** A port that nothing listened on a moment ago, and that nobody is given before it is used. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < SLOT; tried += 1) {
    given = (given + 1) % SLOT;
    const port = slot + given;
    if (await isFree(port)) return port;
  }
  throw new Error(`every port of ${slot} to ${slot + SLOT - 1} is in use`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
