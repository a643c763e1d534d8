import type { RequestListener, ServerResponse } from 'node:http';
import type { Logger } from '../lib/index.ts';
import { type Listening, listen } from './listen.ts';
import type { Metrics } from './metrics.ts';

/** Whether requests can be served, and what each check says of it in a word or two. */
export interface Readiness {
  readonly ok: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

/** The check `server` of one that answers, but slowly at first. */
export const WARMING_UP = 'warming up';

const SET_BY = { host: 'POSTERN_OPS_HOST', port: 'POSTERN_OPS_PORT' };

interface Options {
  /** Asked at every `/readyz`; if it throws, we are not ready. */
  readonly ready: () => Promise<Readiness>;
  /** True once the server has been told to stop: balancers then look elsewhere. */
  readonly draining: () => boolean;
  readonly metrics: Pick<Metrics, 'render'>;
  readonly logger: Logger;
}

/**
 * The listener for operators: `/healthz` (the process lives), `/readyz` (it can serve), `/metrics`. It stands on a port of
 * its own, on loopback unless told otherwise, and has no part in the server's pages.
 * @returns undefined when the port is 0, which turns it off.
 * @throws Refusal as {@link listen} does.
 */
export async function serveOps({
  host,
  port,
  ...options
}: Options & { readonly host: string; readonly port: number }): Promise<Listening | undefined> {
  if (port === 0) return undefined;
  return listen({ handler: opsHandler(options), host, port, setBy: SET_BY, linger: 0 });
}

type Answer = { readonly status: number; readonly type: string; readonly text: string };

const json = (status: number, body: object): Answer => ({
  status,
  type: 'application/json',
  text: `${JSON.stringify(body)}\n`,
});

/** What {@link serveOps} serves, for a listener of one's own. */
export function opsHandler({ ready, draining, metrics, logger }: Options): RequestListener {
  const pages: Readonly<Record<string, () => Promise<Answer>>> = {
    '/healthz': async () => json(200, { ok: true }),
    '/readyz': async () => {
      if (draining()) return json(503, { ok: false, checks: { server: 'draining' } });
      const { ok, checks } = await ready();
      return json(ok ? 200 : 503, { ok, checks });
    },
    '/metrics': async () => ({ status: 200, ...(await metrics.render()) }),
  };

  return async (req, res) => {
    const path = (req.url ?? '/').split('?', 1)[0] ?? '/';
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (!page) return send(res, json(404, { error: 'not_found' }));
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('Allow', 'GET, HEAD');
      return send(res, json(405, { error: 'method_not_allowed' }));
    }
    try {
      send(res, await page());
    } catch (err) {
      logger.error({ err, path }, 'an ops page failed');
      send(res, json(503, { ok: false, checks: { [path]: 'failed; the log says why' } }));
    }
  };
}

function send(res: ServerResponse, { status, type, text }: Answer): void {
  res.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  res.end(text);
}
