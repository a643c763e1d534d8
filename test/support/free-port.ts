import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/**
 * Below where systems take the ports of outgoing connections from (Linux: 32768), one of which could take ours meanwhile, and
 * above those that tests name themselves.
 */
const LOWEST = 16_000;
const PORTS = 16_000;

/** A port that nothing listens on, and that no other test is given for as long as this one's thread or process lives. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < PORTS; tried += 1) {
    const port = LOWEST + Math.floor(Math.random() * PORTS);
    if ((await claim(port)) && (await isFree(port))) return port;
  }
  throw new Error(`every port of ${LOWEST} to ${LOWEST + PORTS - 1} is in use`);
}

/**
 * The UDP port of the same number is held by whoever was given the TCP port: a server that is stopped and started again finds
 * its port free, and the claim ends with its holder, however that ends.
 */
function claim(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const held = createSocket('udp4').unref();
    held.once('error', () => held.close(() => resolve(false)));
    held.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(true));
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, () => probe.close(() => resolve(true)));
  });
}
