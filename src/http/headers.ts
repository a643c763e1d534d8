import type { Context, Middleware } from 'koa';
import type { EndpointKind } from './endpoints.ts';
import { stateOf } from './state.ts';

const CSP = 'Content-Security-Policy';

/**
 * Nothing but our own stylesheet and pictures. `script-src` stands there with no source at all: that allows nothing, and
 * it is the directive to which the engine adds the hash of the one line by which its own pages submit themselves; after
 * `'none'` a browser would warn of it.
 */
const POLICY = [
  "default-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "img-src 'self'",
  'script-src',
  "style-src 'self'",
].join(';');

const COMMON = {
  [CSP]: POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;

const OPENER = 'Cross-Origin-Opener-Policy';

/** What a kind of endpoint has instead; '' is no header. */
const BY_KIND: Readonly<Record<EndpointKind, Readonly<Record<string, string>>>> = {
  page: {},
  // A single-page application may sign people in from a window it opened. Every value of this header but the default,
  // `same-origin-allow-popups` too, takes that window from it, and its library reports "popup closed by user".
  'sign-in': { [OPENER]: '' },
  api: {},
  public: { 'Cross-Origin-Resource-Policy': 'cross-origin' },
};

/** One year: browsers come back by https alone. No preload and no subdomains: those are the operator's to promise. */
const HSTS = 'max-age=31536000';

/**
 * The security headers of every answer, set before anything can go wrong and left alone by failures. Whoever answers may
 * set his own Cache-Control; an answer is `no-store` until somebody does.
 */
export function securityHeaders(issuer: string): Middleware {
  const always = { ...COMMON, [OPENER]: 'same-origin', ...(issuer.startsWith('https:') && { [STS]: HSTS }) };
  const byKind = Object.fromEntries(
    Object.entries(BY_KIND).map(([kind, own]) => [kind, withoutEmpty({ ...always, ...own })]),
  ) as Record<EndpointKind, Record<string, string>>;
  return async (ctx, next) => {
    ctx.set(byKind[stateOf(ctx).endpoint?.kind ?? 'page']);
    await next();
    // A page of the engine that submits itself (response_mode=form_post, sign-out): its form goes to the client.
    if (/script-src [^;]*'sha256-/.test(ctx.response.get(CSP))) allowFormRedirect(ctx);
  };
}

const STS = 'Strict-Transport-Security';

const withoutEmpty = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));

/**
 * Call it when showing a page whose form may end at a client: sign-in, consent, sign-out. Chrome applies `form-action` to
 * every redirect a form leads through, the client's own further ones included, and those nobody can list: so the
 * directive goes (ENGINE §9.13). What it guarded against, a form somebody smuggled in, needs markup nobody can smuggle
 * past the views.
 */
export function allowFormRedirect(ctx: Pick<Context, 'response' | 'set'>): void {
  const policy = ctx.response.get(CSP);
  ctx.set(
    CSP,
    policy
      .split(';')
      .filter((directive) => !directive.startsWith('form-action'))
      .join(';'),
  );
}
