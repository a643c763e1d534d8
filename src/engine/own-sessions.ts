import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { acrOf, type Domain, OWN_CLIENT, type Person, sessionIdOf, together } from '../domain/index.ts';
import { type Clock, type Duration, inSeconds, seconds } from '../lib/index.ts';

/** Somebody who is signed in on the browser that asks. */
export interface SignedIn {
  readonly person: Person;
  /** Names the session, as the sign-ins of its owner do. */
  readonly sessionId: string;
  /** When they proved who they are, in milliseconds. */
  readonly since: number;
}

export type OwnSessions = ReturnType<typeof createOwnSessions>;

interface Options {
  readonly provider: Provider;
  readonly domain: Domain;
  readonly issuer: string;
  readonly now: Clock;
}

/** Where the engine returns people to whom our own pages sent to sign in. */
export const OWN_CALLBACK = '/account/signed-in';
/** The same for the pages of operators. */
export const OPERATORS_CALLBACK = '/admin/signed-in';

interface Wanted {
  /** They must have proven who they are so lately. */
  readonly within?: Duration;
  readonly back?: typeof OWN_CALLBACK | typeof OPERATORS_CALLBACK;
  /** They are to choose who they are, whoever is signed in. */
  readonly choose?: boolean;
}

/** Who is signed in on a browser, for pages of our own. */
export function createOwnSessions({ provider, domain, issuer, now }: Options) {
  return {
    /** Who is signed in on this browser, and has proven all that is asked of them; undefined where nobody has. */
    async current(ctx: Context): Promise<SignedIn | undefined> {
      const { accountId, uid, loginTs = 0, amr = [] } = await provider.Session.get(ctx);
      const person = accountId ? await domain.accounts.get(accountId) : undefined;
      if (!person || person.disabled) return undefined;
      const { missing } = await domain.assurance.standing(person, amr, { asked: [], registered: [] });
      if (missing !== undefined) return undefined;
      // As long ago as by the wall clock, which dated it.
      return { person, sessionId: sessionIdOf(uid), since: now() - Math.max(0, Date.now() - seconds(loginTs)) };
    },

    /** Where to send a browser so that its person signs in; then it comes back to `back` with `state`. */
    signInAddress(state: string, { within, back = OWN_CALLBACK, choose = false }: Wanted = {}): string {
      const query = new URLSearchParams({
        client_id: OWN_CLIENT,
        response_type: 'code',
        scope: 'openid',
        redirect_uri: issuer + back,
        state,
        // Of a verifier nobody knows: the code is never redeemed, it is the session that counts.
        code_challenge: randomBytes(32).toString('base64url'),
        code_challenge_method: 'S256',
        ...(choose && { prompt: 'select_account' }),
        // The engine takes a sign-in that is as old as this for one, and the page that asks does not any more.
        ...(within !== undefined && { max_age: String(inSeconds(within) - 1) }),
      });
      return `/authorize?${query}`;
    },

    /** The person on this browser has just proven something more. */
    async proved(ctx: Context, amr: readonly string[]): Promise<void> {
      const session = await provider.Session.get(ctx);
      const words = together(session.amr ?? [], amr);
      const acr = acrOf(words);
      Object.assign(session, { amr: words, ...(acr && { acr }) });
      await session.persist();
    },
  };
}
