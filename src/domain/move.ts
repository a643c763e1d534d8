import { newId, Refusal } from '../lib/index.ts';
import {
  type AloneStore,
  type Batches,
  type Mark,
  type MarkName,
  type StoredRow,
  type TableName,
  Tally,
  tallied,
} from '../store/index.ts';
import { openSecret } from './cookie-keys.ts';
import type { MasterKey } from './master-key.ts';
import { isUnused } from './unused.ts';

export interface Moved {
  readonly at: number;
  readonly rows: Readonly<Partial<Record<TableName, number>>>;
  readonly total: number;
  /** The same on both sides, whatever engines they are. */
  readonly digest: string;
  /** Everything had been carried already by a move that was cut off before its end. */
  readonly finished: boolean;
}

interface Options {
  readonly from: AloneStore;
  readonly to: AloneStore;
  readonly masterKey: MasterKey;
}

/**
 * Carries everything that is live from one store to an empty one. Sessions, codes and tokens go along, so only one of the
 * two may ever be served: at each moment of a move that is cut off, either the old one is as it was and the new one refuses
 * to start, or the old one refuses to start. The same command then begins it anew, or ends it.
 * @throws Refusal `store_moved`, `store_not_empty`, `store_arriving`, `master_key_mismatch`
 */
export async function move({ from, to, masterKey }: Options): Promise<Moved> {
  const moved = await from.mark('moved');
  const arriving = await to.mark('arriving');
  if (moved) {
    if (!arriving || arriving.move !== moved.move)
      throw new Refusal('store_moved', `${from.name} was moved to ${moved.other} on ${day(moved.at)} already`);
    const tally = new Tally();
    for await (const _ of tallied(carried(to.rows(), masterKey), tally));
    await to.setMark('arriving', undefined);
    return { at: moved.at, rows: tally.rows, total: tally.total, digest: tally.digest, finished: true };
  }
  await mayMove(from, to, arriving);

  const at = from.now();
  const id = newId('evt');
  const tally = new Tally();
  const mark = { at, move: id };
  const coming = { ...mark, other: from.name };
  // An empty target would be served as a new store by whoever does not know that the move was cut off.
  await to.setMark('arriving', coming);
  // The mark comes with the rows too: a target that has them all is not served before the source is out of service.
  await to.replaceAll(
    followedBy(tallied(carried(from.rows(), masterKey), tally), {
      table: 'marks',
      id: 'arriving',
      json: JSON.stringify(coming),
    }),
  );
  await from.setMark('moved', { ...mark, other: to.name });
  await to.setMark('arriving', undefined);
  return { at, rows: tally.rows, total: tally.total, digest: tally.digest, finished: false };
}

async function mayMove(from: AloneStore, to: AloneStore, arriving: Mark | undefined): Promise<void> {
  const unfinished = await from.mark('arriving');
  if (unfinished)
    throw new Refusal('store_arriving', `the move of ${unfinished.other} into ${from.name} was never finished`);
  const movedOn = await to.mark('moved');
  if (movedOn)
    throw new Refusal(
      'store_not_empty',
      `${to.name} holds what was moved to ${movedOn.other} on ${day(movedOn.at)}, which is good for nothing any more: remove it, or choose another place`,
    );
  // What this store had carried there already is carried anew; another's may be in use nowhere else by now.
  if (arriving?.other === from.name || isUnused(await to.counts())) return;
  throw arriving
    ? new Refusal(
        'store_arriving',
        `${to.name} holds what is moved there from ${arriving.other}: end that move first, by the same command`,
      )
    : new Refusal('store_not_empty', `${to.name} is not empty: nothing was changed`);
}

/** What a store says of its rows, and not of itself. */
const CARRIED_MARKS: readonly string[] = ['restored', 'issuer'] satisfies MarkName[];

/** The rows that go along: all but what either store says of itself. */
async function* carried(rows: Batches, masterKey: MasterKey): Batches {
  for await (const batch of rows) {
    // Whoever serves the new store must be able to open what is in it.
    for (const { table, id, json } of batch)
      if (table === 'server_secrets') openSecret(masterKey.secrets, id, JSON.parse(json));
    yield batch.filter(({ table, id }) => table !== 'marks' || CARRIED_MARKS.includes(id));
  }
}

async function* followedBy(rows: Batches, last: StoredRow): Batches {
  yield* rows;
  yield [last];
}

const day = (at: number): string => new Date(at).toISOString();
