import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, deriveKey, hours, seal, seconds, sha256, unseal } from '../lib/index.ts';
import { type Put, type Store, StoreConflict, StoreUnavailable } from '../store/index.ts';

/** Where a form led. */
export interface Led<Shown = unknown> {
  readonly to: string;
  /** What was shown there and then, and never again, such as a secret; plain JSON. */
  readonly shown?: Shown;
}

export type SentForms = ReturnType<typeof createSentForms>;

/** Longer than a request takes: whoever began it has ended since without a word. */
const BEGUN = seconds(15);
/** As long as a second click comes later. */
const DONE = seconds(10);
/** A page that answers a form is reloaded by sending the form again, also the one that was left open until the next morning. */
const SHOWN = hours(24);

/** How long the second click waits for the first. */
const PATIENCE = seconds(10);
const LOOK_AGAIN = 50;

/**
 * Forms that people send, each of which holds a token of its own: what one asks for is done once, however often and through
 * whichever process it is sent, and every click is answered as the first. Who begins says so first, expecting that nobody did.
 * @param form all that it holds
 */
export function createSentForms({ store, now }: { readonly store: Store; readonly now: Clock }) {
  const idOf = (form: string): string => sha256(`form ${form}`);
  const shownBy = (id: string): string => sha256(`shown ${id}`);
  const keyOf = (form: string) => deriveKey(form, 'sent-form');

  const put = (id: string, lasts: number, sealed?: string): Put<'sent_forms'> => ({
    put: 'sent_forms',
    id,
    record: sealed === undefined ? {} : { sealed },
    expiresAt: now() + lasts,
  });

  /** @returns whether nobody did before */
  async function begin(form: string): Promise<boolean> {
    try {
      await store.commit([{ ...put(idOf(form), BEGUN), expect: 'absent' }]);
      return true;
    } catch (error) {
      if (error instanceof StoreConflict) return false;
      throw error;
    }
  }

  /** Keeps where it led, sealed under the form itself: whoever has not sent it learns nothing. */
  async function keep(form: string, { to, shown }: Led): Promise<void> {
    const id = idOf(form);
    const sealed = (row: string, what: unknown) => seal(keyOf(form), row, JSON.stringify(what));
    await store.commit([
      put(id, shown === undefined ? DONE : SHOWN, sealed(id, to)),
      ...(shown === undefined ? [] : [put(shownBy(id), DONE, sealed(shownBy(id), shown))]),
    ]);
  }

  /** It may be sent again. */
  const forget = (form: string) => store.commit([{ remove: 'sent_forms', id: idOf(form) }]);

  /**
   * Where it led, once that is known; undefined where nobody sent it, or where it was refused.
   * @throws StoreUnavailable where nobody knows whether it was done
   */
  async function led<Shown>(form: string): Promise<Led<Shown> | undefined> {
    const id = idOf(form);
    const unsealed = (row: string, sealed: string) => JSON.parse(unseal(keyOf(form), row, sealed));
    for (let waited = 0; ; waited += LOOK_AGAIN) {
      const row = await store.get('sent_forms', id);
      if (!row) return undefined;
      const { sealed } = row.record;
      if (sealed !== undefined) {
        const shown = (await store.get('sent_forms', shownBy(id)))?.record.sealed;
        return { to: unsealed(id, sealed), ...(shown !== undefined && { shown: unsealed(shownBy(id), shown) }) };
      }
      if (waited >= PATIENCE) throw new StoreUnavailable('whether what the form asks for was done is not known yet');
      await pause(LOOK_AGAIN);
    }
  }

  return {
    led,

    /**
     * Does what the form asks for, unless somebody did.
     * @param work gives where it leads; undefined where it was refused, so that it may be sent again
     * @throws StoreUnavailable as {@link led}
     */
    async once<Shown>(form: string, work: () => Promise<Led<Shown> | undefined>): Promise<Led<Shown> | undefined> {
      while (!(await begin(form))) {
        const before = await led<Shown>(form);
        if (before) return before;
      }
      try {
        const done = await work();
        await (done ? keep(form, done) : forget(form));
        return done;
      } catch (error) {
        // Whether a store did what it did not answer nobody knows; with anything else nothing is under way any more.
        if (!(error instanceof StoreUnavailable)) await forget(form);
        throw error;
      }
    },
  };
}
