import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Duration } from '../../src/lib/index.ts';

export interface Reply {
  readonly status: number;
  readonly text: string;
}

interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request; rejects where no whole answer came. */
export function once(url: string, { path, body = '', method, headers = {} }: Asked, agent?: Agent): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    };
    const options = { method: method ?? (body ? 'POST' : 'GET'), headers, agent: agent ?? false };
    const asked: ClientRequest = request(new URL(path, url), options, answered);
    asked.setTimeout(15_000, () => asked.destroy(Object.assign(new Error('no answer'), { code: 'NO_ANSWER' })));
    asked.on('error', reject).end(body);
  });
}

interface Hammer {
  readonly replies: readonly Reply[];
  /** Requests that got no whole answer, by the error's code. Refused connections are not among them. */
  readonly lost: readonly string[];
  /** How many times nobody listened: nothing was asked. */
  readonly refused: number;
  stop(): Promise<void>;
}

/**
 * Asks the same over and over: half of the askers on connections that are kept, half each time on a new one; or all of
 * them on kept ones.
 */
export function hammer(
  url: string,
  asked: Asked | (() => Asked),
  askers = 16,
  { kept = false, rest = 0 }: { readonly kept?: boolean; readonly rest?: Duration } = {},
): Hammer {
  const replies: Reply[] = [];
  const lost: string[] = [];
  let refused = 0;
  let stopped = false;
  const agent = new Agent({ keepAlive: true });
  const ask = typeof asked === 'function' ? asked : () => asked;
  const working = Promise.all(
    Array.from({ length: askers }, async (_, i) => {
      while (!stopped) {
        if (rest) await pause(rest);
        try {
          replies.push(await once(url, ask(), kept || i % 2 ? agent : undefined));
        } catch (error) {
          const code = (error as { code?: string }).code ?? String(error);
          if (code === 'ECONNREFUSED') {
            refused += 1;
            return;
          }
          lost.push(code);
        }
      }
    }),
  );
  return {
    replies,
    lost,
    get refused() {
      return refused;
    },
    async stop() {
      stopped = true;
      await working;
      agent.destroy();
    },
  };
}
