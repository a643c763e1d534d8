import test from 'ava';
import fc from 'fast-check';
import type { RowChange } from '../../src/store/changes.ts';
import { Database } from '../../src/store/file/memory/database.ts';
import { ExpiryHeap } from '../../src/store/file/memory/expiry-heap.ts';
import { hashOf } from '../../src/store/file/memory/hash.ts';
import { OpenedRows } from '../../src/store/file/memory/opened-rows.ts';
import { pageOf } from '../../src/store/file/memory/page.ts';
import { newRow } from '../../src/store/file/memory/row.ts';
import { inBytes } from '../../src/store/file/memory/row-bytes.ts';
import { Shelves } from '../../src/store/file/memory/shelves.ts';
import { SlotTable } from '../../src/store/file/memory/slot-table.ts';
import { SpareBuffers } from '../../src/store/file/memory/spare-buffers.ts';
import { Table } from '../../src/store/file/memory/table.ts';
import { artifact } from './records.ts';

// Ids of one length and of many, in every width UTF-8 has; too few and too alike to be told apart by luck.
const id = fc.oneof(
  fc.integer({ min: 0, max: 99 }).map((n) => `s${n}`),
  fc.constantFrom('é', 'Ã©', '\u{1F600}', '\uFFFD', '__proto__', 's'.repeat(800)),
);
const accountId = fc.constantFrom('most', 'most', 'most', 'some', 'few', undefined);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      loaded: fc.boolean(),
      id,
      accountId,
      length: fc.oneof(fc.nat(50), fc.nat(3000)),
      life: fc.option(fc.nat(30), { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('get' as const), id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), after: fc.nat(20) }) },
);

const inOrder = (ids: Iterable<string>): string[] =>
  [...ids].toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));

test('whatever is put, loaded, asked for, removed and expires, a table has what a Map has', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 100, maxLength: 400, size: 'max' }),
      fc.nat(100),
      async (steps, indexed) => {
        const table = new Table('sessions', new SpareBuffers());
        const model = new Map<string, ReturnType<typeof newRow>>();
        let now = 0;
        let most = 0;
        for (const [version, one] of steps.entries()) {
          // Indexes are made in the middle, and follow from then on.
          if (version === indexed) for (const name of ['all', 'accountId']) await table.index(name);
          if (one.do === 'drop') {
            now += one.after;
            const due = [...model.values()].filter(({ expiresAt = Number.POSITIVE_INFINITY }) => expiresAt <= now);
            for (const { id: gone } of due) model.delete(gone);
            t.is(
              table.dropExpired(now, () => true),
              due.length,
            );
            t.false(table.hasExpired(now));
          } else if (one.do === 'remove') {
            model.delete(one.id);
            table.remove(one.id);
          } else if (one.do === 'get') {
            t.deepEqual(table.get(one.id), model.get(one.id));
            t.is(table.get(one.id), table.get(one.id));
          } else {
            const record = artifact({
              sealed: 'x'.repeat(one.length),
              ...(one.accountId && { accountId: one.accountId }),
            });
            const json = JSON.stringify(record);
            const row = newRow(one.id, version, one.life && now + one.life, JSON.parse(json));
            model.set(one.id, row);
            if (one.loaded) table.load(inBytes(row, json));
            else table.put(row, record);
          }
          most = Math.max(most, model.size);
        }
        t.is(table.rows.size, model.size);
        t.is(table.rows.end, most);
        for (const row of model.values()) t.deepEqual(table.get(row.id), row);
        for (const value of ['most', 'some', 'few']) {
          const wanted = [...model.values()].filter(
            ({ record }) => (record as { accountId?: string }).accountId === value,
          );
          t.deepEqual(await listed(table, 'accountId', value), inOrder(wanted.map((row) => row.id)));
        }
        t.deepEqual(await listed(table, 'all', ''), inOrder(model.keys()));
        t.deepEqual(await listed(table, 'accountId', 'nobody'), []);
      },
    ),
    { numRuns: 40 },
  );
});

test('rows and values whose hashes are the same are told apart', async (t) => {
  const known = new Map<number, string>();
  let pair: [string, string] | undefined;
  for (let n = 0; !pair; n += 1) {
    const hash = hashOf(Buffer.from(`${n}`));
    const other = known.get(hash);
    if (other) pair = [other, `${n}`];
    known.set(hash, `${n}`);
  }
  const table = new Table('sessions', new SpareBuffers());
  for (const one of pair) put(table, one, one);
  for (const one of pair) {
    t.is(table.get(one)?.id, one);
    t.deepEqual(await listed(table, 'accountId', one), [one]);
  }
  table.remove(pair[0]);
  t.is(table.get(pair[0]), undefined);
  t.is(table.get(pair[1])?.id, pair[1]);
});

test('a value that many rows had is forgotten with the last of them', async (t) => {
  const table = new Table('sessions', new SpareBuffers());
  await table.index('accountId');
  const ids = Array.from({ length: 900 }, (_, n) => `s${(n * 7919) % 900}`);
  for (const one of ids) put(table, one, 'usr_1');
  for (const one of ids.slice(0, 850)) table.remove(one);
  t.deepEqual(await listed(table, 'accountId', 'usr_1'), inOrder(ids.slice(850)));
  for (const one of ids) table.remove(one);
  t.deepEqual(await listed(table, 'accountId', 'usr_1'), []);
  put(table, 'last', 'usr_1');
  t.deepEqual(await listed(table, 'accountId', 'usr_1'), ['last']);
});

function put(table: Table, one: string, owner: string): void {
  const record = artifact({ accountId: owner });
  table.put({ id: one, version: 1 }, record);
}

/** Page by page. */
async function listed(table: Table, index: string, value: string): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | undefined; ; ) {
    const found = pageOf(table, await table.index(index), { value, after, most: 7, now: Number.NEGATIVE_INFINITY });
    ids.push(...found.rows.map((row) => row.id));
    after = found.next;
    if (after === undefined) return ids;
  }
}

test('a table of slots finds those of a hash, however many share its place', (t) => {
  // Hashes that begin alike share a place; those at the end go on at the beginning.
  const hash = fc.constantFrom(...[0, 1, 2, 3].flatMap((n) => [n << 6, (n << 6) | (1 << 31), -64 - (n << 6)]));
  fc.assert(
    fc.property(
      fc.array(fc.record({ hash, slot: fc.nat(40), gone: fc.boolean() }), { maxLength: 300, size: 'max' }),
      (steps) => {
        const table = new SlotTable();
        const model = new Map<number, Set<number>>();
        for (const { hash: key, slot, gone } of steps) {
          const slots = model.get(key) ?? new Set();
          model.set(key, slots);
          if (gone && slots.delete(slot)) table.delete(key, slot);
          else if (!gone && !slots.has(slot)) {
            slots.add(slot);
            table.add(key, slot);
          }
        }
        for (const [key, slots] of model) {
          const found: number[] = [];
          t.is(
            table.find(key, (slot) => found.push(slot) < 0),
            -1,
          );
          t.deepEqual(found.toSorted(), [...slots].toSorted());
          for (const slot of slots)
            t.is(
              table.find(key, (other) => other === slot),
              slot,
            );
        }
      },
    ),
  );
});

test('pieces stay what they were while others come and go, and half of all that is taken is in use', (t) => {
  const piece = fc.oneof(fc.nat(100), fc.nat(60_000), fc.constant(1_500_000));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(60), fc.option(piece)), { minLength: 50, maxLength: 300, size: 'max' }),
      (steps) => {
        const places: number[] = [];
        const shelves = new Shelves(
          new SpareBuffers(),
          (owner) => places[owner] ?? 0,
          (owner, place) => {
            places[owner] = place;
          },
        );
        const model = new Map<number, { length: number; byte: number }>();
        for (const [turn, [owner, length]] of steps.entries()) {
          const before = places[owner] ?? 0;
          places[owner] = 0;
          model.delete(owner);
          if (length !== null) {
            const place = shelves.take(owner, length);
            places[owner] = place;
            shelves.bytes(place).fill(turn % 256, shelves.at(place), shelves.at(place) + length);
            model.set(owner, { length, byte: turn % 256 });
          }
          if (before > 0) shelves.free(before);
        }
        let live = 0;
        for (const [owner, { length, byte }] of model) {
          const place = places[owner]!;
          live += length;
          t.is(shelves.length(place), length);
          const from = shelves.at(place);
          t.true(
            shelves
              .bytes(place)
              .subarray(from, from + length)
              .equals(Buffer.alloc(length, byte)),
          );
        }
        // What is being filled, and ends of buffers that were too short for what came.
        t.true(shelves.taken <= 2 * live + 8_000_000, `${shelves.taken} bytes for ${live}`);
      },
    ),
    { numRuns: 30 },
  );
});

test('one that comes and goes takes no more each time', (t) => {
  const shelves = new Shelves(
    new SpareBuffers(),
    () => 0,
    () => t.fail(),
  );
  for (let n = 0; n < 1000; n += 1) shelves.free(shelves.take(1, 1000));
  t.is(shelves.taken, 16 * 1024);
});

test('where the only piece was larger than a buffer, small ones have room when it is gone', (t) => {
  const places: number[] = [0];
  const shelves = new Shelves(
    new SpareBuffers(),
    (owner) => places[owner]!,
    (owner, place) => {
      places[owner] = place;
    },
  );
  shelves.free(shelves.take(1, 3_000_000));
  t.is(shelves.taken, 0);
  for (let owner = 1; owner <= 300; owner += 1) {
    const place = shelves.take(owner, 9000);
    places[owner] = place;
    shelves.bytes(place).fill(owner % 256, shelves.at(place), shelves.at(place) + 9000);
  }
  for (const [owner, place] of places.entries()) {
    if (owner === 0) continue;
    const from = shelves.at(place);
    t.true(
      shelves
        .bytes(place)
        .subarray(from, from + 9000)
        .equals(Buffer.alloc(9000, owner % 256)),
    );
  }
});

test('a commit that cannot be taken in leaves nothing of it, and not its number', async (t) => {
  const database = new Database();
  const put = (id: string, record: object): RowChange => ({ table: 'grants', id, record });
  await database.table('grants').index('accountId');
  database.apply([put('kept', artifact({ accountId: 'before' }))], 1);
  const bad = { ...artifact(), accountId: 7 };
  const changes = [put('kept', artifact()), { table: 'grants', id: 'never' } as const, put('new', artifact())];
  t.throws(() => database.apply([...changes, put('bad', bad)], 2), { instanceOf: TypeError });
  t.is(database.sequence, 1);
  t.is(database.size, 1);
  const found = pageOf(database.table('grants'), await database.table('grants').index('accountId'), {
    value: 'before',
    after: undefined,
    most: 10,
    now: 0,
  });
  t.deepEqual(
    found.rows.map(({ id, version }) => [id, version]),
    [['kept', 1]],
  );
});

test('a slot that is due twice comes up once, and at once when it is due sooner', (t) => {
  const heap = new ExpiryHeap();
  const all = () => {
    const due: (number | undefined)[] = [];
    while (heap.firstAt < 100) due.push(heap.shift());
    return due;
  };
  heap.push(20, 1);
  heap.push(30, 1);
  t.deepEqual(all(), [1]);
  heap.push(20, 1);
  heap.push(10, 1);
  heap.push(15, 2);
  t.deepEqual(all(), [1, 2, undefined]);
  heap.push(20, 1);
  t.deepEqual(all(), [1]);
});

test('of opened rows those that nobody has asked for since go', (t) => {
  const opened = new OpenedRows();
  const hot = newRow('hot', 1, undefined, {});
  opened.set(hot);
  for (let n = 0; n < 10_000; n += 1) {
    opened.set(newRow(`r${n}`, 1, undefined, {}));
    t.is(opened.get('hot'), hot);
  }
  t.is(opened.get('r0'), undefined);
  t.truthy(opened.get('r9999'));
  opened.delete('hot');
  t.is(opened.get('hot'), undefined);
});
