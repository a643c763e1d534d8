import { givenOr } from '../issuers.ts';
import { ask, oauth } from '../oauth.ts';
import { objectIn } from '../object-in.ts';

const GITHUB = 'https://github.com';

const HEADERS = {
  accept: 'application/vnd.github+json',
  'x-github-api-version': '2022-11-28',
  // It refuses a request without one.
  'user-agent': 'postern',
};

/** The REST API of github.com, or of a GitHub Enterprise Server. */
const api = (issuer: string, path: string): URL =>
  new URL(issuer === GITHUB ? `https://api.github.com${path}` : `${issuer}/api/v3${path}`);

/** https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps. OAuth 2 without OpenID Connect. */
export const github = oauth({
  name: 'GitHub',
  place: { by: 'issuer', needed: false },
  issuerFrom: (said) => givenOr(GITHUB)(said).replace(/\/$/, ''),
  scopes: ['read:user', 'user:email'],
  endpoints: (issuer) => ({
    authorization: `${issuer}/login/oauth/authorize`,
    token: `${issuer}/login/oauth/access_token`,
    // https://docs.github.com/apps/github-authentication-discovery-endpoints; sent since April 2026.
    identifier: `${issuer}/login/oauth`,
  }),
  wishes: ({ choose }): Record<string, string> => (choose ? { prompt: 'select_account' } : {}),

  async claims(config, tokens, { issuer, scopes }) {
    const user = objectIn(await ask(config, tokens.access_token, api(issuer, '/user'), HEADERS));
    const { id, login, name } = user;
    return {
      // A number that never changes; the login does.
      sub: typeof id === 'number' && Number.isSafeInteger(id) && id > 0 ? String(id) : undefined,
      preferred_username: login,
      name,
      ...(scopes.includes('user:email') &&
        primary(await ask(config, tokens.access_token, api(issuer, '/user/emails'), HEADERS))),
    };
  },
});

function primary(emails: unknown): { email?: unknown; emailVerified?: unknown } {
  const found = (Array.isArray(emails) ? emails : []).map(objectIn).find((each) => each['primary'] === true);
  return found ? { email: found['email'], emailVerified: found['verified'] } : {};
}
