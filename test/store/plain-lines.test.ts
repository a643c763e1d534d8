import test from 'ava';
import fc from 'fast-check';
import { prepare } from '../../src/store/changes.ts';
import { commitLine } from '../../src/store/file/journal-file.ts';
import { encodeLine, LineBuffer } from '../../src/store/file/lines.ts';
import type { Loaded } from '../../src/store/file/memory/loaded.ts';
import type { RowBytes } from '../../src/store/file/memory/row-bytes.ts';
import { PlainLines } from '../../src/store/file/plain-lines.ts';
import { encodeRow } from '../../src/store/file/snapshot.ts';
import type { Change } from '../../src/store/index.ts';

const AT = 1_763_719_000_123;
const TABLES = ['seen', 'grants', 'guesses'] as const;

/** Texts with what could be taken for the end of a text, an object or a line; long ones too. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', '\n', 'é', '\u{1F600}', 'a'), maxLength: 120 }),
  fc.integer({ min: 0, max: 600 }).map((length) => `${'x'.repeat(length)}\\"`),
);
const record = fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.array(text)), {
  noNullPrototype: true,
});
const plainId = fc.stringMatching(/^[!#-[\]-~]{1,40}$/);
const row = (id: fc.Arbitrary<string>) =>
  fc.record({
    table: fc.constantFrom(...TABLES),
    id,
    expiresAt: fc.option(fc.oneof(fc.nat(), fc.constant(AT)), { nil: undefined }),
    record: fc.option(record, { nil: undefined }),
  });

type SomeRow = ReturnType<typeof row> extends fc.Arbitrary<infer R> ? R : never;

const changesOf = (rows: readonly SomeRow[]) =>
  prepare(
    rows.map(({ table, id, expiresAt, record: kept }) =>
      kept ? { put: table, id, record: kept, ...(expiresAt !== undefined && { expiresAt }) } : { remove: table, id },
    ) as unknown as Change[],
  );

const line = (encoded: string): Buffer => Buffer.from(encoded).subarray(0, -1);
/** As the journal writes it. */
const written = (rest: string): Buffer => new LineBuffer().encode([rest]).subarray(0, -1);
const idOf = ({ bytes, id, idEnd }: RowBytes): string => bytes.toString('utf8', id, idEnd);
const jsonOf = ({ bytes, json, jsonEnd }: RowBytes): string => bytes.toString('utf8', json, jsonEnd);
const told = ({ table, row: kept, removed }: Loaded) =>
  kept
    ? { table, id: idOf(kept), version: kept.version, expiresAt: kept.expiresAt, record: JSON.parse(jsonOf(kept)) }
    : { table, id: removed };

test('a line as we mostly write it is read as JSON.parse reads it', (t) => {
  const lines = new PlainLines();
  fc.assert(
    fc.property(fc.uniqueArray(row(plainId), { minLength: 1, maxLength: 8, selector: ({ id }) => id }), (rows) => {
      const changes = changesOf(rows);
      const read = lines.commit(written(commitLine(17, AT, 16, changes.map((change) => change.text).join(','))));
      const expected = changes.map(({ table, id, expiresAt, record: kept }) => ({
        table,
        id,
        ...(kept && { version: 17, expiresAt, record: kept }),
      }));
      t.deepEqual(
        { ...read, changes: read?.changes.map(told) },
        { sequence: 17, at: AT, synced: 16, changes: expected },
      );
      for (const { table, id, expiresAt, record: kept } of changes) {
        if (!kept) continue;
        const json = JSON.stringify(kept);
        const one = lines.row(line(encodeRow({ table, id, expiresAt, json }, 18)));
        t.deepEqual(one && told(one), { table, id, version: 18, expiresAt, record: kept });
        t.is(jsonOf(one!.row), json);
      }
    }),
  );
});

test('any other line is left to JSON.parse, never read wrongly', (t) => {
  const lines = new PlainLines();
  for (const id of ['é', '"', '\\', '\u{1F600}', 'a\nb']) {
    const [change] = prepare([{ put: 'seen', id, record: { issuer: 'i' } }]);
    t.is(lines.commit(written(commitLine(1, AT, 0, change!.text))), undefined);
    t.is(lines.row(line(encodeRow({ table: 'seen', id, json: '{}' }, 1))), undefined);
  }
  const late = prepare([{ put: 'seen', id: 'a', record: { issuer: 'i' }, expiresAt: AT + 0.5 }])[0]!;
  for (const text of [late.text, '{"id":"a","put":"seen","record":{}}', '{"put":"seen","id":"a","record":{}} ', ''])
    t.is(lines.commit(written(commitLine(1, AT, 0, text))), undefined, text);
  for (const rest of ['"idle"', '[]', 'null'])
    t.is(lines.commit(Buffer.from(`["00000000",1,${AT},0,${rest}]`)), undefined, rest);
  t.is(lines.row(Buffer.from('["00000000","complete",4,5,6,"00000000"]')), undefined);
});

test('lines that are written many at a time are those that are written one by one', (t) => {
  const lines = new LineBuffer();
  const some = fc.array(fc.oneof(text, fc.string({ unit: 'binary' }).map(JSON.stringify)), { maxLength: 12 });
  const large = fc.constant(['x'.repeat(300_000), 'é'.repeat(100_000)]);
  fc.assert(
    fc.property(fc.oneof({ weight: 50, arbitrary: some }, { weight: 1, arbitrary: large }), (rests) => {
      t.true(lines.encode(rests).equals(Buffer.from(rests.map(encodeLine).join(''))));
    }),
  );
});
