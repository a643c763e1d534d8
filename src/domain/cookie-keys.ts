import {
  type Clock,
  type Duration,
  minutes,
  newId,
  newSecret,
  Refusal,
  type SealingKey,
  seal,
  unseal,
} from '../lib/index.ts';
import { type Change, type Row, type ServerSecret, type Store, StoreConflict } from '../store/index.ts';

const PURPOSE = 'cookies';

/** @throws Refusal `master_key_mismatch` when it was sealed under another master key. */
export function openSecret(sealingKey: SealingKey, id: string, { sealed }: ServerSecret): string {
  try {
    return unseal(sealingKey, `server_secrets/${id}`, sealed);
  } catch (cause) {
    throw new Refusal(
      'master_key_mismatch',
      'the store was sealed under another master key: put back the keys folder (or POSTERN_MASTER_KEY) that belongs to it',
      { cause },
    );
  }
}

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly sealingKey: SealingKey;
  readonly rotateAfter: Duration;
  /** The longest life of anything signed with them. */
  readonly verifyFor: Duration;
  /** What is due by age is left to whoever serves. */
  readonly visiting?: boolean;
}

/** A new secret is known to every process for so long before it signs. */
const KNOWN_AHEAD = minutes(1);

interface CookieKey {
  readonly secret: string;
  readonly usedFrom: number;
}

/**
 * The secrets that sign cookies and forms: the newest that is in use signs, the others verify until nothing they signed
 * is alive. They rotate by age like the keys that sign tokens, without anybody being signed out, and of several
 * processes one rotates.
 * @throws Refusal `master_key_mismatch` when the store was sealed under another master key.
 */
export async function openCookieKeys(options: Options) {
  const { store, now, sealingKey, rotateAfter, verifyFor, visiting = false } = options;
  /** The newest first. */
  let known: readonly CookieKey[] = [];

  async function rows(): Promise<Row<ServerSecret>[]> {
    const { rows } = await store.find('server_secrets', 'all', '', { limit: 1000 });
    return rows
      .filter(({ record }) => record.purpose === PURPOSE)
      .toSorted((a, b) => b.record.usedFrom - a.record.usedFrom);
  }

  function make(usedFrom: number): Change {
    const id = newId('evt');
    const sealed = seal(sealingKey, `server_secrets/${id}`, newSecret());
    const record = { purpose: PURPOSE, sealed, createdAt: now(), usedFrom } as const;
    return {
      put: 'server_secrets',
      id,
      record,
      expiresAt: usedFrom + rotateAfter + verifyFor + rotateAfter,
      expect: 'absent',
    };
  }

  /** What is due: the first, or the next. Fails with a conflict where another process was faster. */
  function due([newest]: readonly Row<ServerSecret>[]): Change[] {
    if (!newest) {
      const mark = { issuer: 'postern' };
      return [
        make(now()),
        { put: 'seen', id: 'first-cookie-key', record: mark, expiresAt: now() + minutes(1), expect: 'absent' },
      ];
    }
    const { id, record, expiresAt, version } = newest;
    if (visiting || record.usedFrom + rotateAfter > now()) return [];
    const unchanged = { put: 'server_secrets', id, record, ...(expiresAt && { expiresAt }), expect: version } as const;
    return [make(now() + KNOWN_AHEAD), unchanged];
  }

  async function tick(): Promise<void> {
    const all = await rows();
    // Opened first: under another master key nothing may be added.
    known = all.map(opened);
    const changes = due(all);
    if (changes.length === 0) return;
    try {
      await store.commit(changes);
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error;
    }
    known = (await rows()).map(opened);
  }

  const opened = ({ id, record }: Row<ServerSecret>): CookieKey => ({
    secret: openSecret(sealingKey, id, record),
    usedFrom: record.usedFrom,
  });

  await tick();

  return {
    /** The one that signs first, as Koa's `app.keys` wants them. */
    current(): readonly string[] {
      const at = now();
      const used = known.filter(({ usedFrom }) => usedFrom <= at);
      const next = known.filter(({ usedFrom }) => usedFrom > at);
      return [...used, ...next].map(({ secret }) => secret);
    },
    tick,
  };
}
