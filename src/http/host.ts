import type { Middleware } from 'koa';

/** What a request can say about the address it came to. All of it is dropped. */
const CLAIMS = [
  'forwarded',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-server',
  'x-forwarded-ssl',
  'x-original-url',
  'x-rewrite-url',
];

/**
 * The first middleware: whatever a request says of host and scheme, every absolute URL is made from the issuer, and
 * `ctx.secure`, on which Secure cookies depend, is the issuer's.
 *
 * A request under another host name is served, not refused: balancers and health checks come by address, and a page that
 * reaches us by DNS rebinding finds links, forms and redirects that leave for the issuer, and no cookie of ours.
 */
export function pinHost(issuer: string): Middleware {
  const { host, protocol } = new URL(issuer);
  const scheme = { value: protocol.slice(0, -1) };
  return (ctx, next) => {
    const { headers } = ctx.req;
    for (const claim of CLAIMS) delete headers[claim];
    headers.host = host;
    // Koa would believe only the socket, which a TLS-ending proxy has emptied, or a header, which anyone can send.
    Object.defineProperty(ctx.request, 'protocol', scheme);
    const target = originForm(ctx.req.url ?? '/');
    if (target !== ctx.req.url) {
      ctx.req.url = target;
      ctx.originalUrl = target;
      ctx.request.originalUrl = target;
    }
    return next();
  };
}

/**
 * The request target as a path (RFC 9112 §3.2.1). A client may send a whole URL, and Koa's `ctx.href` would take the host
 * from there; or two slashes, after which Node's parser looks for a host. A fragment is no part of a target.
 */
function originForm(target: string): string {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/#.*$/s, '');
  return path.replace(/^[/\\]*/, '/');
}
