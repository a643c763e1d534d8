import { type Clock, days, newSecret } from '../lib/index.ts';
import type { Change, RefusalRecord, Store } from '../store/index.ts';
import { commitAll, every } from './every.ts';
import { withoutSecrets, withoutSecretsDeep } from './secrets.ts';

export type RefusalEntry = Omit<RefusalRecord, 'at' | 'asked' | 'registered'> & {
  /** The parameters as they came; secrets among them are hidden here. */
  readonly asked?: Readonly<Record<string, unknown>>;
  /** What the client's registration says about it. */
  readonly registered?: Readonly<Record<string, unknown>>;
};

export type Refusals = ReturnType<typeof createRefusals>;

const KEPT = days(7);

/** Why requests were refused, for `postern explain ID`. Anyone can cause one, so only so many are kept: the latest. */
export function createRefusals({ store, now, most = 10_000 }: { store: Store; now: Clock; most?: number }) {
  let kept: number | undefined;
  /** Of our own since they were counted: other processes keep some too. */
  let since = 0;
  let making: Promise<void> | undefined;

  /** Counts them, and removes the oldest tenth where they are too many. */
  async function makeRoom(): Promise<void> {
    const all = await Array.fromAsync(
      every(store, 'refusals', 'all', ''),
      ({ id }): Change => ({ remove: 'refusals', id }),
    );
    const surplus = all.length < most ? [] : all.slice(0, all.length - Math.floor(most * 0.9));
    await commitAll(store, surplus);
    kept = all.length - surplus.length;
    since = 0;
  }

  return {
    /** Keeps it for seven days and gives the id that the error page shows: `err_…`. */
    async record({ error, sentence, rule, asked = {}, registered = {} }: RefusalEntry): Promise<string> {
      while (kept === undefined || kept >= most || since >= most / 10) {
        making ??= makeRoom().finally(() => {
          making = undefined;
        });
        await making;
      }
      kept++;
      since++;
      const at = now();
      const id = oldestFirst(at);
      const record: RefusalRecord = {
        at,
        error: error.slice(0, 100),
        sentence: withoutSecrets('', sentence.slice(0, 500)),
        rule: withoutSecrets('', rule.slice(0, 1000)),
        asked: Object.fromEntries(
          Object.entries(asked)
            .slice(0, 40)
            .map(([name, value]) => [name.slice(0, 64), withoutSecrets(name, textOf(value))]),
        ),
        registered: withoutSecretsDeep(registered) as Record<string, unknown>,
      };
      await store.commit([{ put: 'refusals', id, record, expiresAt: at + KEPT }]);
      return id;
    },

    async get(id: string): Promise<(RefusalRecord & { readonly id: string }) | undefined> {
      const row = await store.get('refusals', id);
      return row && { id, ...row.record };
    },
  };
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)).slice(0, 10_000);

/** Rows come in the order of their ids; these rise with time. Short, because people read them out. */
const oldestFirst = (at: number): string => `err_${at.toString(36).padStart(9, '0')}${newSecret().slice(0, 8)}`;
