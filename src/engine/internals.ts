/**
 * The one file that imports oidc-provider's inside (pinned to ~9.13; test/engine/internals.test.ts fails when what is
 * used here has moved). Everything else goes through its public interface.
 */

import { type ExternalSigningKey, errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import authorization from 'oidc-provider/lib/actions/authorization/index.js';
import { confirm, init } from 'oidc-provider/lib/actions/end_session.js';
import * as deviceCode from 'oidc-provider/lib/actions/grants/device_code.js';
import * as refreshToken from 'oidc-provider/lib/actions/grants/refresh_token.js';
import introspection from 'oidc-provider/lib/actions/introspection.js';
import revocation from 'oidc-provider/lib/actions/revocation.js';
import token from 'oidc-provider/lib/actions/token.js';
import userinfo from 'oidc-provider/lib/actions/userinfo.js';
import * as grantHelpers from 'oidc-provider/lib/helpers/grants.js';
import initializeKeystore from 'oidc-provider/lib/helpers/initialize_keystore.js';
import clientAuth from 'oidc-provider/lib/shared/client_auth.js';
import { DEVICE_GRANT } from '../domain/index.ts';
import { tellSubject } from './introspection.ts';
import { requireProof } from './no-proof.ts';
import { namedWithoutSecret } from './no-secret.ts';
import { refuseNothing } from './policy.ts';
import { askWhetherToSignOut, believeSignOutForm, outliveHint } from './sign-out.ts';

export { grantHelpers };

type Step = { readonly name: string };
type Next = () => Promise<void>;

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
 * subject of a machine's token (introspection.ts). Refuses a request that asks for nothing as soon as it is pushed, or a device
 * makes it, as at /authorize (policy.ts). And has a sign-out form say itself what it is about,
 * where the engine keeps one such form for each session, and be shown whatever became of the ID token that asks for it (sign-out.ts).
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
  precede(init, 'endSessionChecks', outliveHint);
  take(init, 'generateXsrf');
  take(init, 'renderLogout', askWhetherToSignOut);
  precede(confirm, 'verifyXsrf', believeSignOutForm);
  const given = (client: KoaContextWithOIDC['oidc']['client'], grantType: unknown) => {
    if (!client?.grantTypeAllowed(String(grantType)))
      throw new errors.UnauthorizedClient('the client was not given this grant type');
  };
  take(token, 'allowedGrantTypeCheck', function allowedGrantTypeCheck({ oidc }: KoaContextWithOIDC, next: Next) {
    given(oidc.client, oidc.params?.['grant_type']);
    return next();
  });
  // Right after what is asked was spread over the resources it is asked of.
  for (const endpoint of ['pushed_authorization_request', 'device_authorization'])
    precede(authorization(endpoint), 'checkMaxAge', function asksForSomething(ctx: KoaContextWithOIDC, next: Next) {
      refuseNothing(ctx);
      return next();
    });
  take(
    authorization('device_authorization'),
    'checkClientGrantType',
    function checkDeviceGrant({ oidc }: KoaContextWithOIDC, next: Next) {
      given(oidc.client, DEVICE_GRANT);
      return next();
    },
  );
}

/** Swaps the keys of a running engine. Throws, and leaves the old ones in place, when the set is not usable. */
export const swapKeys = (provider: Provider, keys: readonly ExternalSigningKey[]): void =>
  initializeKeystore.call(provider, { keys: [...keys] });

const GRANTS = { refresh_token: refreshToken, device_code: deviceCode };

/** A grant of the engine's own, with the parameters it takes. */
export function engineGrant(
  provider: Provider,
  name: keyof typeof GRANTS,
): {
  handle: (ctx: KoaContextWithOIDC) => Promise<void>;
  parameters: ReadonlySet<string>;
} {
  const { handler, parameters } = GRANTS[name];
  const bound = Object.fromEntries(
    Object.entries(grantHelpers).map(([helper, work]) => [
      helper,
      (work as (...args: unknown[]) => unknown).bind(undefined, provider),
    ]),
  );
  return { handle: (ctx) => handler(provider, bound, ctx), parameters };
}
