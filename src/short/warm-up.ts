import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { type Listening, listen } from '../http/index.ts';
import { type Duration, returnMemory, seconds } from '../lib/index.ts';

interface Options {
  /** Grants a machine's token to whoever asks as said here, for any of these scopes. */
  readonly handler: RequestListener;
  readonly authorization: string;
  readonly scopes: readonly string[];
  readonly requests?: number;
  /** It is given up then. */
  readonly within?: Duration;
  /** Collects all garbage; for tests. */
  readonly collect?: () => void;
}

const CONNECTIONS = 8;

/** How many of the last requests and answers are held: about as many that are over as are under way. */
const HELD = 2 * CONNECTIONS;

/**
 * Asks for tokens over real connections, on a port nobody knows, as often as it takes until V8 has compiled what answers.
 * @returns how many requests were granted
 */
export async function warmUp({
  handler,
  authorization,
  scopes,
  requests = 2000,
  within = seconds(2),
  collect = returnMemory,
}: Options): Promise<number> {
  const held: unknown[] = [];
  let begun = 0;
  let collected = false;
  const collectOnce = (): void => {
    if (!collected) collect();
    collected = true;
  };
  const rehearsed: RequestListener = (req, res) => {
    held[begun % HELD] = [req, res];
    begun += 1;
    handler(req, res);
    // What starting and warming up left behind is a fifth of all memory, and V8 would keep it. With whatever is gone V8
    // forgets what it compiled for things of that shape: hence while some of each are there, waiting for a signature too,
    // and some requests before the end.
    if (begun === requests) setImmediate(collectOnce);
  };
  const listening = await listen({ handler: rehearsed, host: '127.0.0.1', port: 0, linger: 0 });
  /** Every other one asks what was asked before, the rest what nobody has: another combination of scopes. */
  const request = (number: number): string => {
    const asked = number % 2 === 0 ? scopes : scopes.filter((_, bit) => number & (1 << bit));
    const body = `grant_type=client_credentials&scope=${asked.join('+')}`;
    return [
      'POST /token HTTP/1.1',
      'Host: localhost',
      `Authorization: ${authorization}`,
      'Content-Type: application/x-www-form-urlencoded',
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  };
  try {
    const until = performance.now() + within;
    let asked = 0;
    const most = (requests * 9) / 8;
    return await ask(listening, () => (asked < most && performance.now() < until ? request(asked++) : undefined));
  } finally {
    await listening.close({ grace: 0 });
    collectOnce();
  }
}

/**
 * Each connection asks again when it was granted. One that is refused asks no more.
 * @param request the next one; undefined when it is enough
 */
async function ask({ port }: Listening, request: () => string | undefined): Promise<number> {
  let granted = 0;
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      const next = (): void => {
        const asking = request();
        if (asking === undefined) socket.end();
        else socket.write(asking);
      };
      socket.on('connect', next);
      socket.on('data', (bytes) => {
        if (!bytes.includes('"token_type"')) return void socket.end();
        granted += 1;
        next();
      });
      // A rehearsal that fails costs the first requests a few milliseconds, and nobody their token.
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });
  await Promise.all(Array.from({ length: CONNECTIONS }, one));
  return granted;
}
