import {
  type Clock,
  type Duration,
  minutes,
  newSecret,
  Refusal,
  type SealingKey,
  sameText,
  seal,
  sha256,
  unseal,
} from '../lib/index.ts';
import { type Row, type Store, StoreConflict, type UpstreamRequest } from '../store/index.ts';
import { retryOnConflict } from './retry.ts';

/** Whose the way is: of an interaction, by its uid, or of the session of somebody who links an upstream to their account. */
export type Whose =
  | { readonly interaction: string }
  /** `to` is where they come back to. */
  | { readonly session: string; readonly accountId: string; readonly to: string };

/** What a person who goes to an upstream goes for, and from which browser. */
interface Going {
  readonly whose: Whose;
  readonly upstream: string;
  /** What only this browser has. */
  readonly browser: string;
  /** Keep the browser signed in after it is closed. */
  readonly remember: boolean;
  /** Seconds since they last proved themselves there, at most; 0 where they have to do so now. */
  readonly maxAge?: number | undefined;
}

/** A sign-in under way at an upstream. */
export interface UnderWay extends Omit<Going, 'browser'> {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly begunAt: number;
}

/** Somebody an upstream vouched for, in an interaction. */
export interface Vouched {
  readonly subject: string;
  readonly label?: string | undefined;
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly emailVerified: boolean;
  /** When they proved themselves there, where the upstream says it. */
  readonly provedAt?: number | undefined;
  readonly remember: boolean;
}

/**
 * Why an upstream signed nobody in. `refused`: it vouched for somebody who may not sign in here. `removed`: it was, while they
 * were on their way.
 */
export type WhyNot = 'denied' | 'unavailable' | 'untrusted' | 'stale' | 'refused' | 'removed';

/** What came of it. `linked`: to this account, or to another one before. */
export type Answer =
  | { readonly upstream: string; readonly vouched: Vouched }
  | { readonly upstream: string; readonly linked: 'here' | 'elsewhere' }
  | { readonly upstream: string; readonly failed: { readonly reason: WhyNot; readonly id: string } };

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly sealingKey: SealingKey;
}

/** How long somebody may take there; and how long it counts here who they are there. */
const LASTS: Duration = minutes(15);

const STATE = /^([A-Za-z0-9_-]{43})[A-Za-z0-9_-]{43}$/;

type Sealed = UnderWay & { readonly browser: string };

type Key = { readonly interaction: string } | { readonly session: string };

const keyOf = (key: Key): string =>
  'interaction' in key ? `interaction\n${key.interaction}` : `session\n${key.session}`;

/**
 * Ways to upstreams and back. An interaction, or a session, has one for each upstream and one answer, so that nobody can
 * fill the store by pressing buttons; each answer is taken once.
 */
export function createUpstreamRequests({ store, now, sealingKey }: Options) {
  const labelOf = (id: string): string => `upstream_requests/${id}`;
  const requestId = (key: Key, upstream: string): string => sha256(`request\n${keyOf(key)}\n${upstream}`);
  const answerId = (key: Key): string => sha256(`answer\n${keyOf(key)}`);

  const open = <R>({ id, record }: Row<UpstreamRequest>): R =>
    JSON.parse(unseal(sealingKey, labelOf(id), record.sealed));

  const put = (id: string, upstream: string, content: object, expect?: number | 'absent') =>
    ({
      put: 'upstream_requests',
      id,
      record: { upstream, sealed: seal(sealingKey, labelOf(id), JSON.stringify(content)) },
      expiresAt: now() + LASTS,
      ...(expect !== undefined && { expect }),
    }) as const;

  return {
    /** Begins; whoever presses the button twice is sent there with the same values twice. */
    begin({ browser, ...going }: Going): Promise<UnderWay> {
      return retryOnConflict(async () => {
        const id = requestId(going.whose, going.upstream);
        const row = await store.get('upstream_requests', id);
        const before = row && open<Sealed>(row);
        const same = before && sameText(before.browser, sha256(browser)) ? before : undefined;
        const request: UnderWay = {
          state: same?.state ?? id + newSecret(),
          nonce: same?.nonce ?? newSecret(),
          verifier: same?.verifier ?? newSecret(),
          begunAt: same?.begunAt ?? now(),
          ...going,
        };
        await store.commit([
          put(id, going.upstream, { ...request, browser: sha256(browser) } satisfies Sealed, row?.version ?? 'absent'),
        ]);
        return request;
      });
    },

    /**
     * Takes the request that an answer belongs to. Of any number that take it at once, one is `first`.
     * @throws Refusal `upstream_request_unknown`, `upstream_mixed_up`, `upstream_other_browser`
     */
    async take(
      state: string,
      { upstream, browser }: { readonly upstream: string; readonly browser: string | undefined },
    ): Promise<{ readonly request: UnderWay; readonly first: boolean }> {
      const [, id] = STATE.exec(state) ?? [];
      const row = id === undefined ? undefined : await store.get('upstream_requests', id);
      const request = row && open<Partial<Sealed>>(row);
      if (!row || !request?.state || !sameText(request.state, state))
        throw new Refusal(
          'upstream_request_unknown',
          'the state belongs to no sign-in under way: it was used or has expired',
        );
      const { browser: kept = '', ...underWay } = request as Sealed;
      if (underWay.upstream !== upstream)
        throw new Refusal('upstream_mixed_up', `the state was given out for ${underWay.upstream}, not for ${upstream}`);
      if (browser === undefined || !sameText(sha256(browser), kept))
        throw new Refusal('upstream_other_browser', 'the sign-in was begun in another browser');
      try {
        await store.commit([{ remove: 'upstream_requests', id: row.id, expect: row.version }]);
        return { request: underWay, first: true };
      } catch (error) {
        if (error instanceof StoreConflict) return { request: underWay, first: false };
        throw error;
      }
    },

    /** Keeps what came of it. */
    async answer(key: Key, answer: Answer): Promise<void> {
      await store.commit([put(answerId(key), answer.upstream, answer)]);
    },

    /** What came of the last one; undefined where nothing did, or it was too long ago. */
    async answerOf(key: Key): Promise<Answer | undefined> {
      const row = await store.get('upstream_requests', answerId(key));
      return row && open<Answer>(row);
    },

    /** The same, for the one who asks first. */
    async takeAnswer(key: Key): Promise<Answer | undefined> {
      const row = await store.get('upstream_requests', answerId(key));
      if (!row) return undefined;
      try {
        await store.commit([{ remove: 'upstream_requests', id: row.id, expect: row.version }]);
      } catch (error) {
        if (error instanceof StoreConflict) return undefined;
        throw error;
      }
      return open<Answer>(row);
    },
  };
}
