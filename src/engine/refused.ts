import type { Context, Middleware } from 'koa';
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { type Domain, PROOF_ALGORITHMS, type RefusalEntry, type RegisteredClient } from '../domain/index.ts';
import { stateOf } from '../http/index.ts';
import { newId } from '../lib/index.ts';

/** What {@link tellRefusals} needs to know of a refusal, left in `ctx.state` by whoever met it. */
interface Refused {
  readonly error: Error;
  /** Nobody could be sent back with the error: a person is to see a page. */
  readonly page: boolean;
}

type Errors = Error & { error?: string; error_description?: string; error_detail?: string };

const state = (ctx: Context | KoaContextWithOIDC): { refused?: Refused; failure?: unknown } => ctx.state;

function markRefused(ctx: Context | KoaContextWithOIDC, error: Error, { page = false } = {}): void {
  // The engine tells of one refusal twice, in either order: as an event, and to have a page made.
  state(ctx).refused = { error, page: page || (state(ctx).refused?.page ?? false) };
  // What the engine would say stays unsaid until there is an id to say it with.
  if (page) ctx.body = '';
}

export const refusalOf = (ctx: Context | KoaContextWithOIDC): Error | undefined => state(ctx).refused?.error;

/** The refusal is not told after all: something better was found to answer. */
export function takeBack(ctx: Context | KoaContextWithOIDC): void {
  delete (state(ctx) as { refused?: Refused }).refused;
}

/** Whether programs call this endpoint: they are told in JSON, whatever they say they accept (RFC 6749 §5.2). */
export const isForPrograms = (ctx: Context | KoaContextWithOIDC): boolean =>
  ['api', 'public'].includes(stateOf(ctx).endpoint?.kind ?? '');

/** The engine has nobody to send back with the error. */
export function renderError(ctx: Context | KoaContextWithOIDC, out: object, error: Error): void {
  if (isForPrograms(ctx)) ctx.body = out;
  markRefused(ctx, error, { page: !isForPrograms(ctx) });
}

/**
 * Whether an authorization request was sent back with an error. Not where a person comes back to one: that they signed
 * in stands, whatever became of the request.
 */
export const isSentBack = (ctx: Context): boolean =>
  state(ctx).failure !== undefined ||
  (state(ctx).refused !== undefined && (ctx as unknown as KoaContextWithOIDC).oidc?.route === 'authorization');

/** Answers a request that lost a race at the commit, after the engine had answered it. */
export function refuseOvertaken(ctx: Context, error: Error): void {
  const { error: code, error_description, statusCode } = error as Errors & { statusCode: number };
  ctx.status = statusCode;
  const { oidc } = ctx as unknown as KoaContextWithOIDC;
  // The only race that a resource of ours answers (RFC 9449 §7.1).
  if (error instanceof errors.InvalidDpopProof && oidc.route === 'userinfo') {
    ctx.status = 401;
    ctx.set(
      'WWW-Authenticate',
      `DPoP realm="${oidc.issuer}", error="${code}", error_description="${error_description}", algs="${PROOF_ALGORITHMS.join(' ')}"`,
    );
  }
  renderError(ctx, { error: code, error_description }, error);
}

/** Errors that are no one's mistake: nothing to explain. A device that waits is told two of them every few seconds. */
const ORDINARY = new Set([
  'login_required',
  'consent_required',
  'interaction_required',
  'access_denied',
  'authorization_pending',
  'slow_down',
]);

/** Notes every refusal the engine makes. What it answers as a bug of its own is left in `ctx.state.failure`. */
export function noteRefusals(provider: Provider): void {
  const note = (ctx: KoaContextWithOIDC, error: Errors) => markRefused(ctx, error);
  for (const event of [
    'authorization.error',
    'grant.error',
    'introspection.error',
    'revocation.error',
    'userinfo.error',
    'pushed_authorization_request.error',
    'device_authorization.error',
    'end_session.error',
    'end_session_confirm.error',
    'end_session_success.error',
  ] as const) {
    provider.on(event as 'grant.error', note as (ctx: KoaContextWithOIDC, error: Error) => void);
  }
  provider.on('server_error', (ctx, error) => {
    state(ctx).failure = error;
  });
}

/** What a person can be told of a refusal. */
type PageReason = 'request' | 'client' | 'redirect' | 'expired';

function reasonOf(error: Error): PageReason {
  if (error instanceof errors.SessionNotFound) return 'expired';
  if (error instanceof errors.InvalidClient) return 'client';
  return error instanceof errors.InvalidRedirectUri ? 'redirect' : 'request';
}

interface Options {
  readonly domain: Domain;
  /** Shows the error page with the id. */
  readonly showError: (
    ctx: Context,
    refusal: { reason: PageReason; id: string; status: number },
  ) => Promise<void> | void;
}

/** Tells the log which client asked; writes down why a request was refused, and gives the answer the id under which `postern explain` tells it. */
export function tellRefusals({ domain, showError }: Options): Middleware {
  return async (ctx, next) => {
    await next();
    const client = (ctx as unknown as KoaContextWithOIDC).oidc?.client;
    if (client) ctx.state['clientId'] = client.clientId;
    const { refused } = state(ctx);
    if (!refused || state(ctx).failure) return;
    const entry = await explain(ctx as unknown as KoaContextWithOIDC, refused.error, domain);
    ctx.state['error'] = entry.error;
    if (ORDINARY.has(entry.error) && !refused.page) return;
    // A store that cannot write must not turn a clear refusal into a failure.
    const id = await domain.refusals.record(entry).catch(() => newId('err'));
    ctx.state['refusalId'] = id;
    if (refused.page) await showError(ctx, { reason: reasonOf(refused.error), id, status: ctx.status });
    else if (isJsonError(ctx.body)) ctx.body = { ...ctx.body, error_id: id };
  };
}

const isJsonError = (body: unknown): body is { error: string } =>
  typeof body === 'object' && body !== null && typeof (body as { error?: unknown }).error === 'string';

/** What was asked, what is registered, and the rule that refused. */
async function explain(ctx: KoaContextWithOIDC, thrown: Errors, domain: Domain): Promise<RefusalEntry> {
  const { oidc } = ctx;
  const sent: Readonly<Record<string, unknown>> = { ...(oidc?.params ?? ctx.query) };
  const asked = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined));
  const clientId = oidc?.client?.clientId ?? asked['client_id'] ?? idInHeader(ctx);
  const client = typeof clientId === 'string' ? await domain.clients.get(clientId) : undefined;
  const error = thrown instanceof errors.OIDCProviderError ? thrown.error : 'server_error';
  const description = thrown.error_description ?? thrown.message;
  const { error_detail: detail = '' } = thrown;
  return {
    error,
    sentence: description,
    // Some of the engine's details say what its description says.
    rule: description.includes(detail) ? description : `${description}: ${detail}`,
    asked: {
      endpoint: ctx.path.replace(/^\/(authorize|interaction)\/.*/, '/$1/…'),
      ...(clientId !== undefined && { client_id: clientId }),
      ...asked,
    },
    registered: client
      ? registeredOf(client)
      : { client: clientId === undefined ? 'the request names none' : 'there is no client of this id' },
  };
}

/** The client of a Basic header (RFC 6749 §2.3.1). What is not written as our ids are may be a secret in the wrong place. */
function idInHeader({ headers }: KoaContextWithOIDC): string | undefined {
  const [, credentials] = /^Basic +([\w+/-]+={0,2})$/i.exec(headers.authorization ?? '') ?? [];
  if (credentials === undefined) return undefined;
  const [id = ''] = Buffer.from(credentials, 'base64').toString('utf8').split(':', 1);
  return /^cli_[\w-]{1,60}$/.test(id) ? id : '(hidden: ids begin with cli_)';
}

const registeredOf = (client: RegisteredClient) => ({
  client_id: client.id,
  name: client.name,
  type: client.type,
  redirect_uris: client.redirectUris,
  post_logout_redirect_uris: client.postLogoutRedirectUris,
  grant_types: client.grantTypes,
  scopes: client.scopes,
  resources: client.resources,
  token_endpoint_auth_method: client.tokenEndpointAuthMethod,
});
