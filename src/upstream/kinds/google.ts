import { alwaysAt } from '../issuers.ts';
import { openIdConnect } from '../openid-connect.ts';

/** https://developers.google.com/identity/openid-connect/openid-connect */
export const google = openIdConnect({
  name: 'Google',
  issuerFrom: alwaysAt('https://accounts.google.com'),
  // Neither `max_age` nor `prompt=login`; `auth_time` for chosen applications only.
  provesFreshness: false,
  omits: ['ui_locales'],
  /**
   * Google answers for the addresses it runs: Gmail's, and those of a Workspace (`hd`). Any other was verified once, and may
   * be somebody else's by now.
   */
  answersForEmail: ({ email, email_verified, hd }) =>
    email_verified === true && (typeof hd === 'string' || (typeof email === 'string' && /@gmail\.com$/i.test(email))),
});
