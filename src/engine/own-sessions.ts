import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import type { AdapterPayload, Provider } from 'oidc-provider';
import { acrOf, type Domain, every, OWN_CLIENT, type Person, sessionIdOf, together } from '../domain/index.ts';
import { type Clock, type Duration, inSeconds, seconds } from '../lib/index.ts';
import type { Artifact, Row, Store } from '../store/index.ts';
import type { OpenArtifact } from './artifacts.ts';

/** Somebody who is signed in on the browser that asks. */
export interface SignedIn {
  readonly person: Person;
  /** Names the session, see {@link SessionShown}. */
  readonly sessionId: string;
  /** When they proved who they are, in milliseconds. */
  readonly since: number;
}

/** A session as its owner is shown it. */
interface SessionShown {
  /** Names the session; nothing can be done with it but end the session, and that by its owner only. */
  readonly id: string;
  readonly signedInAt: number;
  readonly lastSeenAt: number;
  readonly address: string;
  readonly userAgent: string;
}

export type OwnSessions = ReturnType<typeof createOwnSessions>;

interface Options {
  readonly provider: Provider;
  readonly domain: Domain;
  readonly store: Store;
  readonly open: OpenArtifact;
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

/** The browser sessions of people, for pages of our own that only their owner may see. */
export function createOwnSessions({ provider, domain, store, open, issuer, now }: Options) {
  const rowsOf = (accountId: string): Promise<Row<Artifact>[]> =>
    Array.fromAsync(every(store, 'sessions', 'accountId', accountId));

  /** Ends a session and everything that was issued in it, offline access too: its owner says so. */
  async function endRow(accountId: string, row: Row<Artifact>): Promise<void> {
    const { uid, authorizations = {} } = open('sessions', row) as AdapterPayload & {
      authorizations?: Record<string, { grantId?: string }>;
    };
    const id = row.record.uid ?? '';
    const grants = new Set(Object.values(authorizations).flatMap(({ grantId }) => (grantId ? [grantId] : [])));
    // Each device that was signed in to from it has a grant of its own.
    for (const table of ['device_codes', 'access_tokens', 'refresh_tokens'] as const)
      for await (const issued of every(store, table, 'accountId', accountId)) {
        const { sessionUid, grantId } = open(table, issued);
        if (grantId && sessionUid === uid) grants.add(grantId);
      }
    // In one commit with what was issued, so that nothing more is issued in it.
    await domain.sessions.endGrants(
      [...grants],
      [
        { remove: 'sessions', id: row.id },
        { remove: 'session_places', id },
        domain.audit.record('session.ended', { accountId, details: { session: id } }),
      ],
    );
  }

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

    /** All of a person's sessions, the last used first. */
    async list(accountId: string): Promise<SessionShown[]> {
      const [rows, places] = await Promise.all([rowsOf(accountId), domain.places.listForAccount(accountId)]);
      return rows
        .map((row): SessionShown => {
          const id = row.record.uid ?? '';
          const { loginTs = 0 } = open('sessions', row) as { loginTs?: number };
          const { address = '', userAgent = '', lastSeenAt = seconds(loginTs) } = places.get(id) ?? {};
          return { id, signedInAt: seconds(loginTs), lastSeenAt, address, userAgent };
        })
        .toSorted((a, b) => b.lastSeenAt - a.lastSeenAt);
    },

    /** Ends one of the person's sessions; false where it is none of theirs, or over. */
    async end(accountId: string, id: string): Promise<boolean> {
      const row = (await rowsOf(accountId)).find(({ record }) => record.uid === id);
      if (row) await endRow(accountId, row);
      return row !== undefined;
    },

    /** Ends all of the person's sessions but one. Gives how many. */
    async endOthers(accountId: string, keep: string): Promise<number> {
      const others = (await rowsOf(accountId)).filter(({ record }) => record.uid !== keep);
      for (const row of others) await endRow(accountId, row);
      return others.length;
    },
  };
}
