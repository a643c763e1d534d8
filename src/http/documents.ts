import type { Context, Middleware } from 'koa';
import { type Duration, inSeconds, sha256 } from '../lib/index.ts';
import type { Endpoint } from './endpoints.ts';
import type { Front, FrontDesk } from './front.ts';
import { SharedHead } from './shared-head.ts';
import { stateOf } from './state.ts';

interface Options {
  /** How long whoever fetched a document may keep it. */
  readonly maxAge: Duration;
  readonly desk: FrontDesk;
}

/** A document as it was answered, for all who ask again. */
interface Kept {
  readonly endpoint: Endpoint;
  readonly text: string;
  readonly encoding: 'latin1' | 'utf8';
  readonly etag: string;
  /** In bytes. */
  readonly length: number;
  /** Names and values in turn; the last value says who may read it. */
  readonly headers: string[];
  readonly headersOf304: string[];
  /** For whoever names no origin. */
  readonly head: SharedHead;
}

/**
 * The public documents (JWKS, discovery): the same bytes for everyone, so they are made once, kept until {@link forget},
 * and given from in front of everything else.
 */
export function createDocuments({ maxAge, desk }: Options) {
  const kept = new Map<string, Kept>();
  /** Changes whenever anything was forgotten: a document begun before may be old. */
  let age = 0;

  /**
   * Around whoever makes them: lets them be kept by whoever fetches them, for `maxAge`, and after that for a 304. The body
   * is what was made; its CORS headers stay.
   */
  const cacheable: Middleware = async (ctx, next) => {
    const begun = age;
    await next();
    const { endpoint } = stateOf(ctx);
    if (endpoint?.kind !== 'public') return;
    if (ctx.status !== 200 || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return;
    if (typeof ctx.body !== 'object' || ctx.body === null) return;
    const type = ctx.response.get('Content-Type') || 'application/json';
    const text = JSON.stringify(ctx.body);
    ctx.body = text;
    ctx.set('Content-Type', type);
    ctx.set('Cache-Control', `public, max-age=${inSeconds(maxAge)}`);
    ctx.set('ETag', `"${sha256(text)}"`);
    if (begun === age && ctx.req.url === endpoint.path) kept.set(endpoint.path, documentOf(ctx, endpoint, text));
    // RFC 9110 §13.1.2; koa compares the list, weak tags and `*` for us.
    if (ctx.fresh) ctx.status = 304;
  };

  /** What needs a second look (a list of ETags, a body, another spelling of the path) goes the whole way. */
  const front: Front = (req, res, next) => {
    const { method, url, headers } = req;
    const document = kept.get(url ?? '');
    if (!document || (method !== 'GET' && method !== 'HEAD')) return next();
    const condition = headers['if-none-match'];
    if ((condition !== undefined && condition !== document.etag) || UNUSUAL.some((name) => name in headers))
      return next();
    const known = condition !== undefined;
    const exchange = desk.open(req, res, document.endpoint);
    if (known) res.writeHead(304, forOrigin(document.headersOf304, headers.origin));
    else if (headers.origin) res.writeHead(200, forOrigin(document.headers, headers.origin));
    else document.head.write(res, document.length);
    exchange.end(known || method === 'HEAD' ? '' : document.text, document.encoding);
  };

  return {
    cacheable,
    front,
    /** The documents are not what they were: they are made anew when next asked for. */
    forget(): void {
      age += 1;
      kept.clear();
    },
  };
}

const UNUSUAL = ['content-length', 'transfer-encoding', 'cache-control', 'if-modified-since', 'expect'];

/** What browsers ask for with their page's origin they may read by its name. */
const forOrigin = (headers: string[], origin: string | undefined): string[] =>
  origin ? [...headers.slice(0, -1), origin] : headers;

function documentOf(ctx: Context, endpoint: Endpoint, text: string): Kept {
  const headers = ctx.res
    .getHeaderNames()
    .filter((name) => name !== 'access-control-allow-origin' && name !== 'content-length')
    .map((name) => [name, String(ctx.res.getHeader(name))] as const);
  const { length } = Buffer.from(text);
  const open = ['access-control-allow-origin', '*'];
  return {
    endpoint,
    text,
    // Plain ASCII goes out in one piece with its headers.
    encoding: length === text.length ? 'latin1' : 'utf8',
    etag: ctx.response.get('ETag'),
    length,
    headers: [...headers.flat(), 'content-length', String(length), ...open],
    headersOf304: [...headers.filter(([name]) => name !== 'content-type').flat(), ...open],
    head: new SharedHead(200, [...headers.flat(), ...open]),
  };
}
