import { givenOr } from '../issuers.ts';
import { openIdConnect } from '../openid-connect.ts';

/** Any provider that speaks OpenID Connect: settings only. */
export const anyProvider = openIdConnect({
  name: 'OpenID Connect',
  place: { by: 'issuer', needed: true },
  issuerFrom: givenOr(),
  provesFreshness: true,
  omits: ['select_account'],
});
