import type { Middleware } from 'koa';
import type { Settings } from '../config/index.ts';
import { stateOf } from './state.ts';

/** Who calls an endpoint, which decides how it is told of a failure and what other sites may do with it. */
export type EndpointKind =
  /** A browser shows it. */
  | 'page'
  /** A browser shows it, perhaps in a window a client opened and still holds. */
  | 'sign-in'
  /** A program calls it. */
  | 'api'
  /** A program reads it and may keep the answer: the same for everyone. */
  | 'public';

/** One thing this server answers to. */
export interface Endpoint {
  /** Names it in metrics. */
  readonly name: string;
  /** `/authorize/:uid`: a part with a colon stands for any one part; a last part `*` for all that follow. */
  readonly path: string;
  /** GET brings HEAD with it. */
  readonly methods: readonly string[];
  readonly kind: EndpointKind;
}

const row = (name: string, path: string, methods: string, kind: EndpointKind): Endpoint => ({
  name,
  path,
  methods: methods.split(' ').flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])),
  kind,
});

/** Every path that is served. A row less and its path is unknown: 404, `other` in the metrics. */
export const ENDPOINTS: readonly Endpoint[] = [
  row('authorize', '/authorize', 'GET POST', 'sign-in'),
  row('authorize', '/authorize/:uid', 'GET', 'sign-in'),
  row('token', '/token', 'POST OPTIONS', 'api'),
  row('userinfo', '/userinfo', 'GET POST OPTIONS', 'api'),
  row('introspect', '/introspect', 'POST OPTIONS', 'api'),
  row('revoke', '/revoke', 'POST OPTIONS', 'api'),
  row('par', '/par', 'POST OPTIONS', 'api'),
  row('device_authorization', '/device_authorization', 'POST OPTIONS', 'api'),
  row('registration', '/register', 'POST OPTIONS', 'api'),
  row('registration', '/register/:id', 'GET PUT DELETE OPTIONS', 'api'),
  row('admin-api', '/admin/api/v1', 'GET POST PUT PATCH DELETE OPTIONS', 'api'),
  row('admin-api', '/admin/api/v1/*', 'GET POST PUT PATCH DELETE OPTIONS', 'api'),
  row('jwks', '/.well-known/jwks.json', 'GET OPTIONS', 'public'),
  row('discovery', '/.well-known/openid-configuration', 'GET OPTIONS', 'public'),
  row('discovery', '/.well-known/oauth-authorization-server', 'GET OPTIONS', 'public'),
  row('logout', '/logout', 'GET POST', 'sign-in'),
  row('logout', '/logout/confirm', 'POST', 'sign-in'),
  row('logout', '/logout/success', 'GET', 'sign-in'),
  row('interaction', '/interaction/:uid', 'GET POST', 'sign-in'),
  row('interaction', '/interaction/:uid/:step', 'GET POST', 'sign-in'),
  row('device', '/device', 'GET POST', 'sign-in'),
  row('device', '/device/:what', 'GET', 'sign-in'),
  row('upstream', '/upstream/:id/callback', 'GET', 'sign-in'),
  row('setup', '/setup', 'GET POST', 'page'),
  row('account', '/account', 'GET POST', 'page'),
  row('account', '/account/:page', 'GET POST', 'page'),
  row('account', '/account/:page/done', 'GET', 'page'),
  row('admin', '/admin', 'GET POST', 'page'),
  row('admin', '/admin/signed-in', 'GET', 'page'),
  row('admin', '/admin/people', 'GET POST', 'page'),
  row('admin', '/admin/people/:id', 'GET POST', 'page'),
  row('admin', '/admin/people/:id/edit', 'GET POST', 'page'),
  row('admin', '/admin/people/:id/remove', 'GET POST', 'page'),
  row('admin', '/admin/applications', 'GET POST', 'page'),
  row('admin', '/admin/applications/:id', 'GET POST', 'page'),
  row('admin', '/admin/applications/:id/remove', 'GET POST', 'page'),
  row('admin', '/admin/apis', 'GET POST', 'page'),
  row('admin', '/admin/apis/:id', 'GET POST', 'page'),
  row('admin', '/admin/apis/:id/remove', 'GET POST', 'page'),
  row('admin', '/admin/upstreams', 'GET POST', 'page'),
  row('admin', '/admin/upstreams/:id', 'GET POST', 'page'),
  row('admin', '/admin/upstreams/:id/remove', 'GET POST', 'page'),
  row('admin', '/admin/keys', 'GET POST', 'page'),
  row('admin', '/admin/events', 'GET POST', 'page'),
  row('admin', '/admin/explain', 'GET POST', 'page'),
  row('assets', '/assets/*', 'GET', 'page'),
  row('assets', '/favicon.ico', 'GET', 'page'),
  row('assets', '/robots.txt', 'GET', 'page'),
  row('home', '/', 'GET', 'page'),
];

/** Those of them that this server serves. */
export const endpointsOf = ({ registration }: Pick<Settings, 'registration'>): readonly Endpoint[] =>
  registration === 'off' ? ENDPOINTS.filter(({ name }) => name !== 'registration') : ENDPOINTS;

type FindEndpoint = (path: string) => Endpoint | undefined;

/**
 * Finds the row of a path in the way the engine's router does: upper and lower case are one, a slash at the end is
 * none. Whatever the engine would answer has its row here.
 */
export function endpointFinder(table: readonly Endpoint[]): FindEndpoint {
  const fixed = new Map<string, Endpoint>();
  const patterns: { readonly parts: readonly string[]; readonly endpoint: Endpoint }[] = [];
  for (const endpoint of table) {
    const path = endpoint.path.toLowerCase();
    if (/[:*]/.test(path)) patterns.push({ parts: path.split('/'), endpoint });
    else fixed.set(path, endpoint);
  }
  return (path) => {
    const lower = path.toLowerCase();
    const plain = lower.length > 1 && lower.endsWith('/') ? lower.slice(0, -1) : lower;
    const parts = plain.split('/');
    return fixed.get(plain) ?? patterns.find((pattern) => fits(pattern.parts, parts))?.endpoint;
  };
}

function fits(pattern: readonly string[], parts: readonly string[]): boolean {
  const open = pattern.at(-1) === '*';
  if (open ? parts.length < pattern.length : parts.length !== pattern.length) return false;
  return pattern.every((part, i) => part === '*' || (part.startsWith(':') ? parts[i] !== '' : part === parts[i]));
}

/** Puts the request's row into `ctx.state.endpoint`, for everything after it. */
export function nameEndpoint(table: readonly Endpoint[] = ENDPOINTS): Middleware {
  const find = endpointFinder(table);
  return (ctx, next) => {
    const endpoint = find(ctx.path);
    if (endpoint) stateOf(ctx).endpoint = endpoint;
    return next();
  };
}
