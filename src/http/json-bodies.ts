import type Koa from 'koa';
import type { Middleware } from 'koa';

/** A response of Koa's, with the JSON it is to have. */
type Answer = Koa.Response & { [HELD]?: object | undefined };

const HELD = Symbol('JSON');

const WITHOUT_BODY = new Set([204, 205, 304]);

/**
 * Answers in JSON as Koa would, but without its question whether the body is a web stream, a `Blob` or a `Response`: to know
 * these names Node loads the whole of undici, HTTP/2 with it, before the first answer. Call it once per app, and use it
 * first. Whatever else a body is stays Koa's.
 */
export function jsonBodies(app: Koa): Middleware {
  const { get, set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(app.response), 'body') as {
    get(): unknown;
    set(body: unknown): void;
  };
  Object.defineProperty(app.response, 'body', {
    get(this: Answer) {
      return this[HELD] ?? get.call(this);
    },
    set(this: Answer, body: unknown) {
      this[HELD] = undefined;
      if (!isJson(body)) return set.call(this, body);
      if (!/\bjson\b/i.test(this.type)) this.type = 'json';
      // Status and headers as for any body; how long it is shows when it is written.
      set.call(this, '{}');
      this.remove('Content-Length');
      this[HELD] = body;
    },
  });
  return async (ctx, next) => {
    await next();
    const body = (ctx.response as Answer)[HELD];
    if (!body || ctx.method === 'HEAD' || WITHOUT_BODY.has(ctx.status) || !ctx.writable) return;
    const text = JSON.stringify(body);
    if (!ctx.headerSent) ctx.length = Buffer.byteLength(text);
    ctx.respond = false;
    ctx.res.end(text);
  };
}

function isJson(body: unknown): body is object {
  if (typeof body !== 'object' || body === null) return false;
  const kind: unknown = Object.getPrototypeOf(body);
  return kind === Object.prototype || kind === Array.prototype || kind === null;
}
