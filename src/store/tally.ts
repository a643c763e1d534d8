import { hash } from 'node:crypto';
import type { TableName } from './records.ts';
import type { Batches, StoredRow } from './whole.ts';

const LANES = 8;

/**
 * What a set of rows comes to, in whatever order they come: how many of each table, and a digest of them all. The digest is
 * a sum of SHA-256 digests: it finds every accident, and is no proof against somebody who makes rows to fit.
 */
export class Tally {
  readonly rows: Partial<Record<TableName, number>> = {};
  readonly #sum = new Uint32Array(LANES);

  add({ table, id, expiresAt, json }: StoredRow): void {
    this.rows[table] = (this.rows[table] ?? 0) + 1;
    const digest = hash('sha256', `${table} ${JSON.stringify(id)} ${expiresAt ?? null} ${json}`, 'buffer');
    for (let lane = 0; lane < LANES; lane += 1) this.#sum[lane]! += digest.readUInt32LE(lane * 4);
  }

  get total(): number {
    return Object.values(this.rows).reduce((sum, count) => sum + count, 0);
  }

  get digest(): string {
    return Buffer.from(this.#sum.buffer).toString('hex');
  }
}

/** Adds up rows while they pass. */
export async function* tallied(rows: Batches, tally: Tally): Batches {
  for await (const batch of rows) {
    for (const row of batch) tally.add(row);
    yield batch;
  }
}
