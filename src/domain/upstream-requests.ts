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

/** Whose the way is: of an interaction in one browser, or of the session of somebody who links an upstream to their account. */
export type Whose =
  | OfInteraction
  /** `to` is where they come back to. */
  | { readonly session: string; readonly accountId: string; readonly to: string };

/** The cookies that an interaction goes by can be planted in another browser: nobody came back there. */
interface OfInteraction {
  /** Its uid. */
  readonly interaction: string;
  /** A digest of what only the browser has in which they go. */
  readonly browser: string;
}

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
  /** By the provider of this issuer: of another one that was given the same id since, these are other people. */
  | { readonly upstream: string; readonly issuer: string; readonly vouched: Vouched }
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

/** Whose an answer is. */
export type AnswerKey = OfInteraction | { readonly session: string };

const keyOf = (key: AnswerKey): string =>
  'interaction' in key ? `interaction\n${key.interaction}` : `session\n${key.session}`;

/**
 * Ways to upstreams and back. An interaction, or a session, has one for each upstream and one answer, so that nobody can
 * fill the store by pressing buttons; each answer is taken once.
 */
export function createUpstreamRequests({ store, now, sealingKey }: Options) {
  const labelOf = (id: string): string => `upstream_requests/${id}`;
  const requestId = (key: AnswerKey, upstream: string): string => sha256(`request\n${keyOf(key)}\n${upstream}`);
  const answerId = (key: AnswerKey): string => sha256(`answer\n${keyOf(key)}`);

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

  const browserOf = (key: AnswerKey): string | undefined => ('interaction' in key ? key.browser : undefined);

  async function stillVouches(answer: Answer): Promise<boolean> {
    if (!('vouched' in answer)) return true;
    return (await store.get('upstreams', answer.upstream))?.record.issuer === answer.issuer;
  }

  async function answered(key: AnswerKey) {
    const row = await store.get('upstream_requests', answerId(key));
    if (!row) return undefined;
    const { browser, ...answer } = open<Answer & { readonly browser?: string }>(row);
    return browser === browserOf(key) && (await stillVouches(answer)) ? { row, answer } : undefined;
  }

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
    async answer(key: AnswerKey, answer: Answer): Promise<void> {
      await store.commit([put(answerId(key), answer.upstream, { ...answer, browser: browserOf(key) })]);
    },

    /** What came of the last one; undefined where nothing did, or it was too long ago. */
    answerOf: async (key: AnswerKey): Promise<Answer | undefined> => (await answered(key))?.answer,

    /** The same, for the one who asks first. */
    async takeAnswer(key: AnswerKey): Promise<Answer | undefined> {
      const found = await answered(key);
      if (!found) return undefined;
      const { row, answer } = found;
      try {
        await store.commit([{ remove: 'upstream_requests', id: row.id, expect: row.version }]);
      } catch (error) {
        if (error instanceof StoreConflict) return undefined;
        throw error;
      }
      return answer;
    },
  };
}
