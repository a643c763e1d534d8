import type { Configuration } from 'openid-client';
import { clientAuthentication } from './client-authentication.ts';
import type { Kind, Provider, Tokens, Wishes } from './kind.ts';
import { library } from './library.ts';
import type { Claims } from './profile.ts';

type Told = Readonly<Record<string, unknown>>;

/** What differs from one OpenID Connect provider to the next. */
interface Differences extends Pick<Kind, 'name' | 'place' | 'issuerFrom' | 'provesFreshness'> {
  /** Parameters it does not know, or knows otherwise. */
  readonly omits?: readonly ('ui_locales' | 'select_account')[];
  /** Who it is, where `sub` alone does not say it: one registration may be for several issuers. */
  readonly subject?: (idToken: Told) => unknown;
  /** Whether it answers for the e-mail address in these claims. */
  readonly answersForEmail?: (told: Told) => unknown;
}

/** An OpenID Connect provider, found by discovery (Discovery 1.0 §4), its ID tokens validated (Core §3.1.3.7). */
export function openIdConnect({ omits = [], subject, answersForEmail, ...row }: Differences): Kind {
  return {
    ...row,
    scopes: ['openid', 'email', 'profile'],
    usesNonce: true,

    async configure({ issuer, clientId, clientSecret }, options) {
      const { discovery } = await library();
      return discovery(new URL(issuer), clientId, undefined, await clientAuthentication(clientSecret), options);
    },

    wishes({ loginHint, uiLocales, maxAge, choose }: Wishes, config) {
      // Some refuse a prompt they do not know (Core §3.1.2.6), so it is sent to those that say they do.
      const { prompt_values_supported: prompts } = config.serverMetadata();
      const offersChoice = Array.isArray(prompts)
        ? prompts.includes('select_account')
        : !omits.includes('select_account');
      const prompt = maxAge === 0 ? 'login' : choose && offersChoice ? 'select_account' : undefined;
      return {
        ...(prompt && { prompt }),
        ...(maxAge !== undefined && { max_age: String(maxAge) }),
        ...(loginHint && { login_hint: loginHint }),
        ...(uiLocales && !omits.includes('ui_locales') && { ui_locales: uiLocales }),
      };
    },

    async claims(config, tokens, provider): Promise<Claims> {
      const idToken: Told = tokens.claims() ?? {};
      const told = { ...(await userInfo(config, tokens, provider, idToken)), ...idToken };
      return {
        ...told,
        sub: subject ? subject(idToken) : idToken['sub'],
        emailVerified: answersForEmail ? answersForEmail(told) : told['email_verified'],
        auth_time: idToken['auth_time'],
      };
    },
  };
}

/** Where the ID token does not tell the address that was asked for, it is told there (Core §5.4). */
async function userInfo(config: Configuration, tokens: Tokens, { scopes }: Provider, idToken: Told): Promise<Told> {
  const { userinfo_endpoint: endpoint } = config.serverMetadata();
  if (idToken['email'] !== undefined || !endpoint || !scopes.includes('email')) return {};
  const { fetchUserInfo } = await library();
  return fetchUserInfo(config, tokens.access_token, String(idToken['sub']));
}
