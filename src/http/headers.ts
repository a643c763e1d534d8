import type { Middleware } from 'koa';
import type { EndpointKind } from './endpoints.ts';
import { stateOf } from './state.ts';

const CSP = 'Content-Security-Policy';

/** What a policy is changed through: a Koa context, the engine's too. */
interface Answering {
  readonly response: { get(field: string): string };
  set(field: string, value: string): void;
}

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

/** Of JSON a browser makes no document: it may load and frame nothing, and there is nothing else to forbid. */
const DATA = {
  [CSP]: "default-src 'none';frame-ancestors 'none'",
  'Permissions-Policy': '',
  [OPENER]: '',
} as const;

/** What a kind of endpoint has instead; '' is no header. */
const BY_KIND: Readonly<Record<EndpointKind, Readonly<Record<string, string>>>> = {
  page: {},
  // A single-page application may sign people in from a window it opened. Every value of this header but the default,
  // `same-origin-allow-popups` too, takes that window from it, and its library reports "popup closed by user".
  'sign-in': { [OPENER]: '' },
  api: DATA,
  public: { ...DATA, 'X-Frame-Options': '', 'Referrer-Policy': '', 'Cross-Origin-Resource-Policy': 'cross-origin' },
};

/** One year: browsers come back by https alone. No preload and no subdomains: those are the operator's to promise. */
const HSTS = 'max-age=31536000';

/**
 * The security headers of every answer, set before anything can go wrong and left alone by failures. Whoever answers may
 * set his own Cache-Control; an answer is `no-store` until somebody does.
 */
export function securityHeaders(issuer: string): Middleware {
  const byKind = fixedHeaders(issuer);
  return async (ctx, next) => {
    ctx.set(byKind[stateOf(ctx).endpoint?.kind ?? 'page']);
    await next();
    // response_mode=form_post, sign-out: the form goes to the client, whose address only the engine knows.
    if (submitsItself(ctx.response.get(CSP))) setFormAction(ctx, undefined);
  };
}

/** What every answer of an endpoint of this kind begins with. */
export function fixedHeaders(issuer: string): Readonly<Record<EndpointKind, Readonly<Record<string, string>>>> {
  const always = { ...COMMON, [OPENER]: 'same-origin', ...(issuer.startsWith('https:') && { [STS]: HSTS }) };
  return Object.fromEntries(
    Object.entries(BY_KIND).map(([kind, own]) => [kind, withoutEmpty({ ...always, ...own })]),
  ) as Record<EndpointKind, Record<string, string>>;
}

/** Whether a policy is that of a page of the engine that submits itself by one line of script, let in by its hash. */
export const submitsItself = (policy: string): boolean => /script-src [^;]*'sha256-/.test(policy);

const STS = 'Strict-Transport-Security';

const withoutEmpty = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));

/** What no form of ours may lead to, whatever was registered. */
const NEVER = new Set(['javascript:', 'data:', 'blob:', 'filesystem:', 'about:', 'file:']);

/**
 * Call it when showing a page whose form may end at a client (sign-in, consent, sign-out) with the client's redirect URI
 * or its origin, and with any other place it may lead to. Chrome applies `form-action` to every redirect a form leads
 * through, and a client's callback may well go on to another origin of its own; those nobody can list. So schemes are
 * allowed, not origins: https always, and the client's own.
 */
export function allowFormRedirect(ctx: Answering, ...targets: readonly string[]): void {
  const schemes = targets.flatMap((target) => URL.parse(target)?.protocol ?? []).filter((scheme) => !NEVER.has(scheme));
  const sources = new Set(["'self'", 'https:', ...schemes]);
  setFormAction(ctx, [...sources].join(' '));
}

/** For a page that has scripts: our own files may run there, and nothing written into the page. */
export const allowOwnScripts = (ctx: Answering): void => setDirective(ctx, 'script-src', "'self'");

const setFormAction = (ctx: Answering, sources: string | undefined): void => setDirective(ctx, 'form-action', sources);

/** Replaces the directive; undefined takes it away. */
function setDirective(ctx: Answering, name: string, sources: string | undefined): void {
  const others = ctx.response
    .get(CSP)
    .split(';')
    .filter((directive) => directive && directive.trim().split(' ')[0] !== name);
  ctx.set(CSP, [...others, ...(sources === undefined ? [] : [`${name} ${sources}`])].join(';'));
}
