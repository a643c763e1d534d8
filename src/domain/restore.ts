import { Refusal } from '../lib/index.ts';
import type { AloneStore, Batch, Batches, Factor, Put, SigningKey, StoredRow, TableName } from '../store/index.ts';
import { auditEvent } from './audit.ts';
import type { MasterKey } from './master-key.ts';
import { type Differences, differencesOf } from './restore-differences.ts';
import { FATES, type Fate } from './restore-fates.ts';
import { newKey } from './signing-key.ts';
import { isUnused } from './unused.ts';

/** A backup that was checked. */
interface BackupToRestore {
  readonly takenAt: number;
  readonly digest: string;
  rows(): Batches;
}

export interface Restored {
  readonly at: number;
  /** Rows that came back, and rows of the backup that did not, per table. */
  readonly rows: Readonly<Partial<Record<TableName, number>>>;
  readonly ended: Readonly<Partial<Record<TableName, number>>>;
  /** The new keys. */
  readonly kids: readonly string[];
  /** How many people had recovery codes that were good. */
  readonly recoveryCodes: number;
  /** Against what was there; absent where nothing was. */
  readonly differences?: Differences;
}

interface Options {
  readonly backup: BackupToRestore;
  readonly into: AloneStore;
  readonly masterKey: MasterKey;
  /** What is there goes. */
  readonly replace: boolean;
}

/**
 * Puts a backup in place of an empty store, or of what is there. Nothing issued before it is good afterwards
 * (restore-fates.ts); all of it happens or nothing.
 * @throws Refusal `store_not_empty`, `store_moved`, and as reading the backup and filling the store do
 */
export async function restore({ backup, into, masterKey, replace }: Options): Promise<Restored> {
  const moved = await into.mark('moved');
  if (moved)
    throw new Refusal('store_moved', `${into.name} was moved to ${moved.other}: restore there, or into another place`);
  const used = !isUnused(await into.counts());
  if (used && !replace)
    throw new Refusal(
      'store_not_empty',
      `${into.name} is not empty: nothing was changed. With --replace the backup is put in place of everything in it`,
    );
  const differences = used ? await differencesOf(into, backup.rows()) : undefined;
  const returning = new Returning(backup, masterKey, into.now());
  const { rows } = await into.replaceAll(returning.rows());
  return { ...returning.report(), rows, ...(differences && { differences }) };
}

/** The rows of a backup as they come back, and those that are new with a restore. */
class Returning {
  readonly #backup: BackupToRestore;
  readonly #masterKey: MasterKey;
  readonly #at: number;
  readonly #ended: Partial<Record<TableName, number>> = {};
  readonly #algorithms = new Set<SigningKey['alg']>(['RS256']);
  readonly #kids: string[] = [];
  #recoveryCodes = 0;

  constructor(backup: BackupToRestore, masterKey: MasterKey, at: number) {
    this.#backup = backup;
    this.#masterKey = masterKey;
    this.#at = at;
  }

  async *rows(): Batches {
    for await (const batch of this.#backup.rows()) yield this.#returning(batch);
    yield await this.#made();
  }

  report(): Pick<Restored, 'at' | 'ended' | 'kids' | 'recoveryCodes'> {
    return { at: this.#at, ended: this.#ended, kids: this.#kids, recoveryCodes: this.#recoveryCodes };
  }

  #returning(batch: Batch): Batch {
    const returning: StoredRow[] = [];
    for (const row of batch) {
      const { table, expiresAt } = row;
      this.#note(row);
      const isOver = expiresAt !== undefined && expiresAt <= this.#at;
      const json = isOver ? undefined : this.#comesBackAs(row);
      if (json === undefined) this.#ended[table] = (this.#ended[table] ?? 0) + 1;
      else returning.push({ ...row, json });
    }
    return returning;
  }

  #comesBackAs({ table, json }: StoredRow): string | undefined {
    const fate = FATES[table] as Fate<unknown>;
    if (fate === 'ends') return undefined;
    if (fate === 'returns') return json;
    const record = fate(JSON.parse(json), this.#at);
    return record === undefined ? undefined : JSON.stringify(record);
  }

  /** What has to be known of rows that do not come back as they are. */
  #note({ table, json }: StoredRow): void {
    if (table === 'signing_keys') {
      const { alg, sealedPrivateKey }: SigningKey = JSON.parse(json);
      if (sealedPrivateKey) this.#algorithms.add(alg);
    }
    if (table === 'factors') {
      const { kind, digests = [] }: Factor = JSON.parse(json);
      if (kind === 'recovery' && digests.length > 0) this.#recoveryCodes += 1;
    }
  }

  async #made(): Promise<Batch> {
    const at = this.#at;
    const { takenAt, digest } = this.#backup;
    const keys: Put<'signing_keys'>[] = [];
    for (const alg of this.#algorithms)
      keys.push(await newKey({ alg, createdAt: at, signsFrom: at }, this.#masterKey.secrets));
    this.#kids.push(...keys.map(({ id }) => id));
    const other = `the backup of ${new Date(takenAt).toISOString()}`;
    const details = { taken_at: takenAt, backup: digest };
    return [
      ...keys.map(stored),
      stored({ put: 'marks', id: 'restored', record: { at, other } }),
      stored(auditEvent(at, 'store.restored', { details })),
    ];
  }
}

const stored = ({ put: table, id, expiresAt, record }: Put): StoredRow => ({
  table,
  id,
  ...(expiresAt !== undefined && { expiresAt }),
  json: JSON.stringify(record),
});
