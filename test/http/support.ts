import { request } from 'node:http';
import { connect } from 'node:net';
import Koa, { type Context, type Middleware } from 'koa';
import {
  accessLog,
  clientAddress,
  createDocuments,
  createFrontDesk,
  createLogger,
  createMetrics,
  type Failure,
  type Front,
  failures,
  inFront,
  type Listening,
  limits,
  listen,
  nameEndpoint,
  notFound,
  pinHost,
  securityHeaders,
  silenceKoa,
  tellAll,
  tellAnswered,
} from '../../src/http/index.ts';
import { type Duration, seconds, silent } from '../../src/lib/index.ts';
import { TABLE_NAMES } from '../../src/store/index.ts';

export const ISSUER = 'https://id.example.com';

type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** A logger and what it wrote, line by line. */
export function logBook(level: 'debug' | 'info' = 'info') {
  const raw: string[] = [];
  const logger = createLogger({ level, destination: { write: (line) => void raw.push(line) } });
  return {
    logger,
    raw,
    lines: () => raw.map((line) => JSON.parse(line) as LogLine),
    of: (msg: string) => raw.map((line) => JSON.parse(line) as LogLine).filter((line) => line.msg === msg),
  };
}

/** Pages with no design: their name and data, so that tests see what was shown. */
export const pages = {
  show(ctx: Pick<Context, 'status' | 'type' | 'body'>, page: string, data: object, status = 200) {
    ctx.status = status;
    ctx.type = 'html';
    ctx.body = `<main data-page="${page}">${JSON.stringify(data)}</main>`;
  },
};

export const store = {
  stats: async () => ({
    engine: 'file' as const,
    rows: Object.fromEntries(TABLE_NAMES.map((name) => [name, 3])) as Record<(typeof TABLE_NAMES)[number], number>,
    bytes: 4096,
    commits: 1,
    writable: true,
  }),
};

interface EdgeOptions {
  readonly issuer?: string;
  readonly trustedProxies?: readonly string[];
  readonly report?: (ctx: Context, failure: Failure) => string | Promise<string>;
  readonly maxAge?: Duration;
  /** Asked before everything else. */
  readonly fronts?: readonly Front[];
}

/** The whole edge in the order of its door, around the `handlers` given, on a real port. */
export async function edge(handlers: readonly Middleware[], options: EdgeOptions = {}) {
  const { issuer = ISSUER, trustedProxies = [], maxAge = seconds(60), fronts = [] } = options;
  const book = logBook('debug');
  const metrics = createMetrics({ store });
  const kept: Failure[] = [];
  const report =
    options.report ??
    ((_ctx: Context, failure: Failure) => {
      kept.push(failure);
      return `err_${kept.length}`;
    });
  const tell = tellAll(accessLog(book.logger), metrics.answered);
  const desk = createFrontDesk({ issuer, trustedProxies, tell });
  const documents = createDocuments({ maxAge, desk });
  const app = new Koa();
  silenceKoa(app, book.logger);
  const all = [
    pinHost(issuer),
    clientAddress(trustedProxies),
    nameEndpoint(),
    securityHeaders(issuer),
    tellAnswered(tell),
    failures({ report, pages: pages as never, logger: book.logger }),
    limits(),
    documents.cacheable,
    ...handlers,
    notFound({ pages: pages as never }),
  ];
  for (const middleware of all) app.use(middleware);
  const handler = inFront([...fronts, documents.front], app.callback());
  const listening = await listen({ handler, host: '127.0.0.1', port: 0, linger: 0 });
  return { ...book, ...client(listening), app, desk, documents, metrics, kept, listening };
}

/** Middlewares alone on a real port. */
export async function serve(...handlers: readonly Middleware[]) {
  const app = new Koa();
  app.on('error', () => {});
  for (const middleware of handlers) app.use(middleware);
  const listening = await listen({
    handler: app.callback(),
    host: '127.0.0.1',
    port: 0,
    linger: 0,
    logger: silent,
  });
  return { ...client(listening), listening };
}

const client = ({ url, port, close }: Listening) => ({
  origin: url,
  get: (path: string, init: RequestInit = {}) => fetch(url + path, { redirect: 'manual', ...init }),
  browse: (path: string, init: RequestInit = {}) =>
    fetch(url + path, { redirect: 'manual', ...init, headers: { accept: 'text/html,*/*;q=0.8', ...init.headers } }),
  /** Methods and headers that fetch forbids. */
  ask: (path: string, headers: Record<string, string | string[]> = {}, method = 'GET') =>
    ask(port, path, headers, method),
  /** Bytes as they are; resolves with all that came back until the server closed. */
  raw: (bytes: string | Uint8Array) => raw(port, bytes),
  [Symbol.asyncDispose]: () => close({ grace: seconds(1) }),
});

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export function ask(
  port: number,
  path: string,
  headers: Record<string, string | string[]>,
  method: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port, path, headers, method, agent: false }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }));
    });
    req.on('error', reject).end();
  });
}

export function raw(port: number, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(5_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

/** Sets ctx.body to what `make` gives. */
export const answer =
  (make: (ctx: Context) => unknown): Middleware =>
  async (ctx) => {
    ctx.body = await make(ctx);
  };
