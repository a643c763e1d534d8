import { createHmac } from 'node:crypto';
import { alwaysAt } from '../issuers.ts';
import { ask, oauth } from '../oauth.ts';
import { objectIn } from '../object-in.ts';

const GRAPH = 'https://graph.facebook.com/v23.0';

/** https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow */
export const facebook = oauth({
  name: 'Facebook',
  issuerFrom: alwaysAt('https://www.facebook.com'),
  scopes: ['public_profile', 'email'],
  endpoints: () => ({
    authorization: 'https://www.facebook.com/v23.0/dialog/oauth',
    token: `${GRAPH}/oauth/access_token`,
  }),
  wishes: () => ({}),

  async claims(config, tokens, { clientSecret }) {
    const url = new URL(`${GRAPH}/me?fields=id,name,email`);
    // Shows that the token is used by whoever has the secret (Graph API, "Securing Requests").
    if (clientSecret)
      url.searchParams.set(
        'appsecret_proof',
        createHmac('sha256', clientSecret).update(tokens.access_token).digest('hex'),
      );
    const { id, name, email } = objectIn(await ask(config, tokens.access_token, url));
    // It does not say whether it answers for the address, so it does not.
    return { sub: id, name, email };
  },
});
