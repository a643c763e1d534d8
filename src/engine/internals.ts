/**
 * The one file that imports oidc-provider's inside (pinned to ~9.13; test/engine/internals.test.ts fails when what is
 * used here has moved). Everything else goes through its public interface.
 */

import { type ExternalSigningKey, errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { confirm, init } from 'oidc-provider/lib/actions/end_session.js';
import { handler as engineRefresh, parameters } from 'oidc-provider/lib/actions/grants/refresh_token.js';
import introspection from 'oidc-provider/lib/actions/introspection.js';
import revocation from 'oidc-provider/lib/actions/revocation.js';
import token from 'oidc-provider/lib/actions/token.js';
import userinfo from 'oidc-provider/lib/actions/userinfo.js';
import * as grantHelpers from 'oidc-provider/lib/helpers/grants.js';
import initializeKeystore from 'oidc-provider/lib/helpers/initialize_keystore.js';
import clientAuth from 'oidc-provider/lib/shared/client_auth.js';
import { tellSubject } from './introspection.ts';
import { requireProof } from './no-proof.ts';
import { namedWithoutSecret } from './no-secret.ts';
import { askWhetherToSignOut, believeSignOutForm } from './sign-out.ts';

export { grantHelpers };

type Step = { readonly name: string };

/** Takes a named step out of one of the engine's lists, for another or none. Throws when it is not there any more. */
function take(steps: Step[], name: string, ...instead: Step[]): void {
  const at = steps.findIndex((step) => step.name === name);
  if (at < 0) throw new Error(`oidc-provider has no step ${name} here any more`);
  steps.splice(at, 1, ...instead);
}

/** Puts a step of ours in front of the engine's. Throws when that is not there any more. */
function precede(steps: Step[], name: string, step: Step): void {
  const theirs = steps.find((candidate) => candidate.name === name);
  take(steps, name, step, ...(theirs ? [theirs] : []));
}

let adjusted = false;

/**
 * Lets our JWT access tokens and refresh tokens be introspected and revoked, and access tokens with an audience be used
 * at /userinfo: the engine refuses all three because it keeps no record of such tokens, and we do (docs/decisions/0003). Tells a
 * client that uses a grant it was not given so, where the engine says `invalid_request` (RFC 6749 §5.2). And takes a
 * client without a secret by its name in the header (no-secret.ts), and none that does not say who it is (no-proof.ts). Tells the
 * subject of a machine's token (introspection.ts). And has a sign-out form say itself what it is about,
 * where the engine keeps one such form for each session (sign-out.ts).
 */
export function adjustSteps(): void {
  if (adjusted) return;
  adjusted = true;
  take(introspection, 'rejectStructuredTokens');
  take(revocation, 'rejectStructuredTokens');
  take(userinfo, 'validateAudience');
  for (const steps of [token, revocation]) precede(steps, 'authenticateClient', namedWithoutSecret);
  // The last is what other endpoints, such as /par, will be made of.
  for (const steps of [token, revocation, introspection, clientAuth])
    precede(steps, 'authenticateClient', requireProof);
  precede(introspection, 'renderTokenResponse', tellSubject);
  take(init, 'generateXsrf');
  take(init, 'renderLogout', askWhetherToSignOut);
  precede(confirm, 'verifyXsrf', believeSignOutForm);
  take(
    token,
    'allowedGrantTypeCheck',
    function allowedGrantTypeCheck(ctx: KoaContextWithOIDC, next: () => Promise<void>) {
      if (ctx.oidc.client?.grantTypeAllowed(String(ctx.oidc.params?.['grant_type']))) return next();
      throw new errors.UnauthorizedClient('the client was not given this grant type');
    },
  );
}

/** Swaps the keys of a running engine. Throws, and leaves the old ones in place, when the set is not usable. */
export const swapKeys = (provider: Provider, keys: readonly ExternalSigningKey[]): void =>
  initializeKeystore.call(provider, { keys: [...keys] });

/** The engine's own refresh token grant, with the parameters it takes. */
export function refreshGrant(provider: Provider): {
  handle: (ctx: KoaContextWithOIDC) => Promise<void>;
  parameters: ReadonlySet<string>;
} {
  const bound = Object.fromEntries(
    Object.entries(grantHelpers).map(([name, helper]) => [
      name,
      (helper as (...args: unknown[]) => unknown).bind(undefined, provider),
    ]),
  );
  return { handle: (ctx) => engineRefresh(provider, bound, ctx), parameters };
}
