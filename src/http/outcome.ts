import type { Context } from 'koa';
import { stateOf } from './state.ts';

/** Every code we count by itself (RFC 6749, 6750, 7009, 7591, 8628, 8707, 9126, 9449, OIDC Core §3.1.2.6, ours). */
const CODES = new Set([
  'access_denied',
  'account_selection_required',
  'authorization_pending',
  'consent_required',
  'expired_token',
  'insufficient_scope',
  'interaction_required',
  'invalid_client',
  'invalid_client_metadata',
  'invalid_dpop_proof',
  'invalid_grant',
  'invalid_redirect_uri',
  'invalid_request',
  'invalid_request_object',
  'invalid_request_uri',
  'invalid_scope',
  'invalid_target',
  'invalid_token',
  'login_required',
  'not_found',
  'request_not_supported',
  'request_uri_not_supported',
  'server_error',
  'slow_down',
  'temporarily_unavailable',
  'unauthorized_client',
  'unmet_authentication_requirements',
  'unsupported_grant_type',
  'unsupported_response_mode',
  'unsupported_response_type',
  'unsupported_token_type',
  'use_dpop_nonce',
]);

/** The OAuth error code of an answer, `other` for one we do not know, undefined where it is no error. */
export function errorOf(ctx: Context): string | undefined {
  const code = stateOf(ctx).error ?? (ctx.status >= 400 ? inBody(ctx.body) : undefined);
  if (code === undefined) return undefined;
  return CODES.has(code) ? code : 'other';
}

function inBody(body: unknown): string | undefined {
  const { error } = (typeof body === 'object' && body !== null ? body : {}) as { error?: unknown };
  return typeof error === 'string' ? error : undefined;
}
