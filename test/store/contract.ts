/**
 * The one contract test: what every engine of the store must do, said without knowing which engine it is.
 *
 * Each engine calls {@link contract} with a way to make an empty place to keep things in. A place is opened, closed and
 * opened again with a clock that the test holds.
 */
import test, { type ExecutionContext } from 'ava';
import { type Clock, sha256 } from '../../src/lib/index.ts';
import {
  type Change,
  type SeenRow,
  type Store,
  StoreConflict,
  type StoredRow,
  StoreUnavailable,
} from '../../src/store/index.ts';
import type { OpenedStore } from '../../src/store/open.ts';
import { randomFrom } from './random.ts';
import { account, artifact, guess } from './records.ts';

export interface Place {
  /** Opens the store that is kept here; the same data every time. */
  open(now: Clock): Promise<Store & Readable>;
  remove(): Promise<void>;
}

const START = 1_763_719_000_000;

export function contract(name: string, makePlace: () => Promise<Place>): void {
  const fact = (title: string, body: (t: ExecutionContext, kit: Kit) => Promise<void>) =>
    test(`${name}: ${title}`, async (t) => {
      const place = await makePlace();
      const kit = new Kit(place);
      try {
        await body(t, kit);
      } finally {
        await kit.store?.close();
        await place.remove();
      }
    });

  fact('what was put is there, and after a restart too', async (t, kit) => {
    const store = await kit.open();
    t.is(await store.get('accounts', 'usr_1'), undefined);
    await store.commit([{ put: 'accounts', id: 'usr_1', record: account('a@example.com') }]);
    const row = await store.get('accounts', 'usr_1');
    t.like(row, { id: 'usr_1', record: account('a@example.com') });
    const again = await kit.restart();
    t.deepEqual(await again.get('accounts', 'usr_1'), row);
  });

  fact('a record is frozen to its depth, and a change of what was put does not reach it', async (t, kit) => {
    const store = await kit.open();
    const details: Record<string, string> = { why: 'first' };
    const event = { at: START, type: 'x', details };
    await store.commit([{ put: 'audit', id: 'evt_1', record: event }]);
    details['why'] = 'second';
    const row = (await store.get('audit', 'evt_1'))!;
    t.is(row.record.details['why'], 'first');
    t.true(Object.isFrozen(row) && Object.isFrozen(row.record) && Object.isFrozen(row.record.details));
  });

  fact('every text JSON can hold comes back as it went in', async (t, kit) => {
    const store = await kit.open();
    const name = 'Zoë \u2028 "\\ \n 🗝 </script>';
    const details = Object.fromEntries([
      ['__proto__', 'own'],
      ['constructor', name],
    ]);
    await store.commit([{ put: 'audit', id: 'evt_1', record: { at: 1.5, type: name, details } }]);
    const read = (await (await kit.restart()).get('audit', 'evt_1'))!.record;
    t.is(read.type, name);
    t.is(read.at, 1.5);
    t.deepEqual(Object.entries(read.details), Object.entries(details));
  });

  fact('ids are only text: __proto__, a slash and the empty-looking are ids like any other', async (t, kit) => {
    const store = await kit.open();
    const ids = ['__proto__', 'constructor', 'toString', '../x', ' ', '%00', "'; drop table", 'ünï', 'x'.repeat(800)];
    for (const id of ids) t.is(await store.get('emails', id), undefined);
    await store.commit(ids.map((id) => ({ put: 'emails', id, record: { accountId: id }, expect: 'absent' })));
    const again = await kit.restart();
    for (const id of ids) t.is((await again.get('emails', id))?.record.accountId, id);
    t.is((await again.find('emails', 'all', '')).rows.length, ids.length);
  });

  fact('what was removed is gone, and after a restart too; removing what is not there is no error', async (t, kit) => {
    const store = await kit.open();
    await store.commit([{ put: 'accounts', id: 'usr_1', record: account('a@example.com') }]);
    await store.commit([{ remove: 'accounts', id: 'usr_1' }]);
    await store.commit([{ remove: 'accounts', id: 'usr_1' }]);
    t.is(await store.get('accounts', 'usr_1'), undefined);
    t.is(await (await kit.restart()).get('accounts', 'usr_1'), undefined);
  });

  const resource = (more: object = {}) => ({ scopes: [], revocable: false, createdAt: 0, ...more });

  // The second is read at every request: some stores have it at hand.
  for (const [table, record, other] of [
    ['grants', artifact(), artifact({ accountId: 'usr_2' })],
    ['resources', resource(), resource({ createdAt: 1 })],
  ] as const)
    fact(`whether rows of ${table} are as they were seen is said rightly, or not at all`, async (t, kit) => {
      const store = await kit.open();
      const see = async (id: string) => ({ table, id, version: (await store.get(table, id))?.version }) as const;
      const said = (answer: boolean, ...seen: SeenRow[]) => {
        const now = store.unchanged(seen);
        t.true(now === undefined || now === answer, `${now}`);
        return now;
      };
      const put = (id: string, as: typeof record | typeof other, expiresAt?: number) =>
        ({ put: table, id, record: as, ...(expiresAt !== undefined && { expiresAt }) }) as Change;
      await store.commit(['a', 'b'].map((id) => put(id, record, START + 1000)));
      const [a, b, none] = [await see('a'), await see('b'), await see('none')];
      const atOnce = said(true, a, b, none) !== undefined;
      said(true);
      const commit = store.commit([put('b', other)]);
      t.not(store.unchanged([a, b]), true);
      await commit;
      for (const { version } of [await see('a'), await see('b')]) t.truthy(version);
      // What a store has at hand because it is read so often may be forgotten at any moment.
      const afterwards = said(false, a, b);
      if (table === 'grants') t.is(afterwards, atOnce ? false : undefined);
      said(true, a, none);
      said(true, await see('b'));
      await store.commit([put('none', record)]);
      said(false, a, none);
      const removal = store.commit([{ remove: table, id: 'none' }]);
      t.not(store.unchanged([a, none]), true, 'it may come back if the removal fails');
      await removal;
      said(true, a, none);
      await see('a');
      kit.now = START + 1000;
      said(false, a);
      await store.close();
      // One that knows nothing at once has nothing to refuse.
      if (atOnce) t.throws(() => store.unchanged([a]), { instanceOf: StoreUnavailable });
    });

  fact('an expectation of absence fails when the row is there, and only then', async (t, kit) => {
    const store = await kit.open();
    const put: Change = { put: 'emails', id: 'a@example.com', record: { accountId: 'usr_1' }, expect: 'absent' };
    await store.commit([put]);
    const error = await t.throwsAsync(store.commit([put]), { instanceOf: StoreConflict });
    t.like(error, { table: 'emails', id: 'a@example.com' });
    await store.commit([{ remove: 'emails', id: 'a@example.com' }]);
    await t.notThrowsAsync(store.commit([put]));
  });

  fact('an expected version must be the one the row has', async (t, kit) => {
    const store = await kit.open();
    const put = (expect?: number): Change => ({
      put: 'guesses',
      id: 'g',
      record: guess(1),
      ...(expect === undefined ? {} : { expect }),
    });
    const versions: number[] = [];
    await t.throwsAsync(store.commit([put(1)]), { instanceOf: StoreConflict });
    for (let i = 0; i < 3; i += 1) {
      await store.commit([put(versions.at(-1))]);
      versions.push((await store.get('guesses', 'g'))!.version);
    }
    t.true(versions[0]! < versions[1]! && versions[1]! < versions[2]!);
    for (const stale of versions.slice(0, 2)) {
      await t.throwsAsync(store.commit([put(stale)]), { instanceOf: StoreConflict });
      await t.throwsAsync(store.commit([{ remove: 'guesses', id: 'g', expect: stale }]), { instanceOf: StoreConflict });
    }
    await store.commit([{ remove: 'guesses', id: 'g', expect: versions[2]! }]);
    await t.throwsAsync(store.commit([{ remove: 'guesses', id: 'g', expect: versions[2]! }]), {
      instanceOf: StoreConflict,
    });
  });

  fact('no version returns for the same id, even after it was removed and the store restarted', async (t, kit) => {
    let store = await kit.open();
    const seen = new Set<number>();
    for (let i = 0; i < 5; i += 1) {
      await store.commit([{ put: 'accounts', id: 'usr_1', record: account(`${i}@example.com`) }]);
      const { version } = (await store.get('accounts', 'usr_1'))!;
      t.false(seen.has(version));
      seen.add(version);
      await store.commit([{ remove: 'accounts', id: 'usr_1' }]);
      store = await kit.restart();
    }
  });

  fact('of 20 commits expecting the same version, exactly one succeeds', async (t, kit) => {
    const store = await kit.open();
    await store.commit([{ put: 'authorization_codes', id: 'c', record: artifact() }]);
    for (let trial = 0; trial < 50; trial += 1) {
      const { version } = (await store.get('authorization_codes', 'c'))!;
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) =>
          store.commit([
            { put: 'authorization_codes', id: 'c', record: artifact({ consumedAt: i }), expect: version },
            { put: 'access_tokens', id: `t${trial}-${i}`, record: artifact() },
          ]),
        ),
      );
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
      t.is(refused.length, 19);
      t.true(refused.every(({ reason }) => reason instanceof StoreConflict));
    }
    t.is((await store.find('access_tokens', 'all', '')).rows.length, 50);
  });

  fact('of 20 commits putting the same absent row, exactly one succeeds', async (t, kit) => {
    const store = await kit.open();
    for (let trial = 0; trial < 50; trial += 1) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, () =>
          store.commit([{ put: 'seen', id: `jti-${trial}`, record: { issuer: 'i' }, expect: 'absent' }]),
        ),
      );
      t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    }
  });

  fact('a commit happens whole or not at all', async (t, kit) => {
    const store = await kit.open();
    await store.commit([{ put: 'emails', id: 'taken', record: { accountId: 'usr_0' } }]);
    await t.throwsAsync(
      store.commit([
        { put: 'accounts', id: 'usr_1', record: account('taken') },
        { remove: 'emails', id: 'other' },
        { put: 'emails', id: 'taken', record: { accountId: 'usr_1' }, expect: 'absent' },
      ]),
      { instanceOf: StoreConflict },
    );
    t.is(await store.get('accounts', 'usr_1'), undefined);
    t.is(await (await kit.restart()).get('accounts', 'usr_1'), undefined);
  });

  fact('no reader sees half of a commit', async (t, kit) => {
    const store = await kit.open();
    const put = (n: number): Change[] => [
      { put: 'guesses', id: 'a', record: guess(n) },
      { put: 'accounts', id: 'b', record: account(`${n}`) },
    ];
    await store.commit(put(0));
    let writing = true;
    const writer = (async () => {
      for (let n = 1; n <= 100; n += 1) await store.commit(put(n));
      writing = false;
    })();
    while (writing) {
      const [a, b] = await Promise.all([store.get('guesses', 'a'), store.get('accounts', 'b')]);
      t.true(Number(b!.record.email) >= a!.record.count);
      await new Promise(setImmediate);
    }
    await writer;
  });

  fact('an expired row does not exist: not for get, not for find, not for an expectation', async (t, kit) => {
    const store = await kit.open();
    const put: Change = {
      put: 'access_tokens',
      id: 't',
      record: artifact({ accountId: 'usr_1' }),
      expiresAt: START + 1000,
      expect: 'absent',
    };
    await store.commit([put]);
    kit.now = START + 999;
    const { version, expiresAt } = (await store.get('access_tokens', 't'))!;
    t.is(expiresAt, START + 1000);
    t.is((await store.find('access_tokens', 'accountId', 'usr_1')).rows.length, 1);
    kit.now = START + 1000;
    t.is(await store.get('access_tokens', 't'), undefined);
    t.is((await store.find('access_tokens', 'accountId', 'usr_1')).rows.length, 0);
    t.is((await store.find('access_tokens', 'all', '')).rows.length, 0);
    await t.throwsAsync(store.commit([{ remove: 'access_tokens', id: 't', expect: version }]), {
      instanceOf: StoreConflict,
    });
    await store.commit([{ ...put, expiresAt: START + 5000 }]);
    t.is((await store.get('access_tokens', 't'))?.expiresAt, START + 5000);
  });

  fact('an expired row does not return with a restart', async (t, kit) => {
    const store = await kit.open();
    await store.commit([{ put: 'access_tokens', id: 't', record: artifact(), expiresAt: START + 1000 }]);
    await store.commit([{ put: 'access_tokens', id: 'u', record: artifact(), expiresAt: START + 9000 }]);
    kit.now = START + 1000;
    const again = await kit.restart();
    t.is(await again.get('access_tokens', 't'), undefined);
    t.truthy(await again.get('access_tokens', 'u'));
  });

  fact(
    'a sweep removes what expired and tells how many; what is alive, or lives longer by now, stays',
    async (t, kit) => {
      const store = await kit.open();
      const put = (id: string, expiresAt?: number): Change => ({
        put: 'seen',
        id,
        record: { issuer: 'i' },
        ...(expiresAt === undefined ? {} : { expiresAt }),
      });
      await store.commit(Array.from({ length: 100 }, (_, i) => put(`s${i}`, START + 10 + i)));
      await store.commit([put('forever'), put('s0', START + 1000), put('s1')]);
      await store.commit([{ remove: 'seen', id: 's2' }]);
      kit.now = START + 59;
      t.is(await store.sweep(kit.now), 47);
      t.is((await store.stats()).rows.seen, 53);
      t.is(await store.sweep(kit.now), 0);
      kit.now = START + 2000;
      t.is(await store.sweep(kit.now), 51);
      const left = await store.find('seen', 'all', '');
      t.deepEqual(
        left.rows.map(({ id }) => id),
        ['forever', 's1'],
      );
      t.is((await (await kit.restart()).stats()).rows.seen, 2);
    },
  );

  fact('rows are found by each declared index, also after they changed it, and after a restart', async (t, kit) => {
    const store = await kit.open();
    const ids = async (from: Store, index: 'accountId' | 'uid', value: string) =>
      (await from.find('sessions', index, value)).rows.map(({ id }) => id);
    await store.commit([
      { put: 'sessions', id: 'b', record: artifact({ accountId: 'usr_1', uid: 'u1' }) },
      { put: 'sessions', id: 'a', record: artifact({ accountId: 'usr_1', uid: 'u2' }) },
      { put: 'sessions', id: 'c', record: artifact({ accountId: 'usr_2' }) },
      { put: 'sessions', id: 'd', record: artifact() },
    ]);
    t.deepEqual(await ids(store, 'accountId', 'usr_1'), ['a', 'b']);
    t.deepEqual(await ids(store, 'uid', 'u2'), ['a']);
    t.deepEqual(await ids(store, 'accountId', 'nobody'), []);
    t.deepEqual(await ids(store, 'accountId', '__proto__'), []);
    await store.commit([
      { put: 'sessions', id: 'b', record: artifact({ accountId: 'usr_2', uid: 'u1' }) },
      { put: 'sessions', id: 'a', record: artifact({ uid: 'u3' }) },
      { remove: 'sessions', id: 'c' },
    ]);
    for (const restart of [false, true]) {
      const from = restart ? await kit.restart() : store;
      t.deepEqual(await ids(from, 'accountId', 'usr_1'), []);
      t.deepEqual(await ids(from, 'accountId', 'usr_2'), ['b']);
      t.deepEqual(await ids(from, 'uid', 'u2'), []);
      t.deepEqual(await ids(from, 'uid', 'u3'), ['a']);
    }
  });

  fact('pages follow each other in the order of ids and meet every row once', async (t, kit) => {
    const store = await kit.open();
    const ids = Array.from({ length: 2345 }, (_, i) => `r${String((i * 7919) % 2345).padStart(5, '0')}`);
    const record = artifact({ accountId: 'usr_1' });
    await store.commit(ids.map((id) => ({ put: 'grants', id, record })));
    for (const index of ['all', 'accountId'] as const) {
      const value = index === 'all' ? '' : 'usr_1';
      t.is((await store.find('grants', index, value)).rows.length, 100);
      t.is((await store.find('grants', index, value, { limit: 5000 })).rows.length, 1000);
      const met: string[] = [];
      let after: string | undefined;
      do {
        const page = await store.find('grants', index, value, { limit: 335, ...(after ? { after } : {}) });
        met.push(...page.rows.map(({ id }) => id));
        after = page.next;
      } while (after);
      t.deepEqual(met, ids.toSorted());
    }
    t.is((await store.find('grants', 'all', 'x')).rows.length, 0);
  });

  fact('the last page has no next, even when it is full', async (t, kit) => {
    const store = await kit.open();
    const put = (id: string, expiresAt?: number): Change => ({
      put: 'seen',
      id,
      record: { issuer: 'i' },
      ...(expiresAt ? { expiresAt } : {}),
    });
    await store.commit([put('a'), put('b'), put('c', START + 1)]);
    t.is((await store.find('seen', 'all', '', { limit: 2 })).next, 'b');
    kit.now = START + 1;
    t.is((await store.find('seen', 'all', '', { limit: 2 })).next, undefined);
  });

  fact('what is no change of a known table throws a TypeError and changes nothing', async (t, kit) => {
    const store = await kit.open();
    const good: Change = { put: 'emails', id: 'good', record: { accountId: 'usr_1' } };
    const email = (record: unknown, more = {}) => ({ put: 'emails', id: 'x', record, ...more });
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    const bad: unknown[] = [
      null,
      {},
      { put: 'nothing', id: 'x', record: {} },
      { put: '__proto__', id: 'x', record: {} },
      { remove: 'toString', id: 'x' },
      { put: 'emails', record: {} },
      ...['', 7, null, 'x'.repeat(801), 'nul\0', '\ud800'].map((id) => ({ put: 'emails', id, record: {} })),
      ...[undefined, null, 'text', 7, [], new Date(), new Map()].map((record) => email(record)),
      ...[1n, Number.NaN, Number.POSITIVE_INFINITY, () => 1, Symbol('s'), new Date(), new Map(), [undefined]].map((a) =>
        email({ a }),
      ),
      email(cyclic),
      ...[null, 7, {}].map((importId) => email({ importId })),
      email({}, { expiresAt: Number.NaN }),
      email({}, { expiresAt: '2030-01-01' }),
      email({}, { expect: 'present' }),
      email({}, { expect: 1.5 }),
      { remove: 'emails', id: 'x', expect: 'absent' },
      good,
    ];
    for (const change of bad) {
      await t.throwsAsync(store.commit([good, change as Change]), { instanceOf: TypeError });
    }
    await t.throwsAsync(store.commit('no list' as never), { instanceOf: TypeError });
    await t.throwsAsync(store.get('nothing' as never, 'x'), { instanceOf: TypeError });
    await t.throwsAsync(store.find('emails', 'nothing' as never, 'x'), { instanceOf: TypeError });
    await t.throwsAsync(store.find('emails', 'all', '', { limit: 0 }), { instanceOf: TypeError });
    t.deepEqual((await store.find('emails', 'all', '')).rows, []);
    await t.notThrowsAsync(store.commit([]));
  });

  fact('a property that is undefined is one that is not there', async (t, kit) => {
    const store = await kit.open();
    await store.commit([{ put: 'grants', id: 'g', record: { ...artifact(), accountId: undefined } as never }]);
    t.deepEqual((await store.get('grants', 'g'))?.record, artifact());
  });

  fact('a relaxed table keeps what was acknowledged like any other when the store is closed', async (t, kit) => {
    const store = await kit.open();
    await Promise.all(
      Array.from({ length: 200 }, (_, i) => store.commit([{ put: 'guesses', id: `g${i}`, record: guess(i) }])),
    );
    const again = await kit.restart();
    for (let i = 0; i < 200; i += 1) t.is((await again.get('guesses', `g${i}`))?.record.count, i);
  });

  fact('many commits at once are all kept', async (t, kit) => {
    const store = await kit.open();
    await Promise.all(
      Array.from({ length: 2000 }, (_, i) => store.commit([{ put: 'grants', id: `g${i}`, record: artifact() }])),
    );
    t.is((await (await kit.restart()).stats()).rows.grants, 2000);
  });

  fact('all rows are read with the text that was put, those that have expired left out', async (t, kit) => {
    const store = await kit.open();
    const event = { at: 1.5, type: 'ü \u0000 \ud800 "', details: Object.fromEntries([['__proto__', 'own']]) };
    await store.commit([
      { put: 'audit', id: 'evt_1', record: event },
      { put: 'sessions', id: 's1', record: artifact({ uid: 'u' }), expiresAt: START + 1000.5 },
      { put: 'sessions', id: 's2', record: artifact(), expiresAt: START + 1 },
    ]);
    kit.now += 1;
    t.deepEqual(await allRows(store), [
      { table: 'sessions', id: 's1', expiresAt: START + 1000.5, json: JSON.stringify(artifact({ uid: 'u' })) },
      { table: 'audit', id: 'evt_1', json: JSON.stringify(event) },
    ]);
    t.is((await allRows(await kit.restart())).length, 2);
  });

  fact('all rows are read as of one moment, whatever is committed meanwhile', async (t, kit) => {
    const store = await kit.open();
    // So many and so large that they are read in several turns.
    const ids = Array.from({ length: 6000 }, (_, i) => `c${i}`);
    const record = artifact({ sealed: 'x'.repeat(4000) });
    for (let from = 0; from < ids.length; from += 500)
      await store.commit(ids.slice(from, from + 500).map((id) => ({ put: 'authorization_codes', id, record })));
    const before = await allRows(store);
    const reading = store.rows()[Symbol.asyncIterator]();
    const read: StoredRow[] = [...(await reading.next()).value];
    const random = randomFrom(17);
    const one = () => ids[Math.floor(random() * ids.length)]!;
    let turns = 0;
    for (let next = await reading.next(); !next.done; next = await reading.next()) {
      read.push(...next.value);
      turns += 1;
      for (let n = 0; n < 20; n += 1) {
        const [used, gone] = [one(), one()];
        await store.commit([
          { put: 'authorization_codes', id: used, record: artifact({ consumedAt: 1 }) },
          { put: 'access_tokens', id: `${used}/${n}`, record: artifact() },
          ...(used === gone ? [] : [{ remove: 'authorization_codes', id: gone } as const]),
        ]);
        if (n % 3 === 0) await store.commit([{ put: 'authorization_codes', id: gone, record: artifact() }]);
      }
    }
    t.true(turns > 1, `${turns} turns`);
    // Compared as text: a difference of thousands of rows is not for reading.
    t.is(textOf(read), textOf(before));
  });

  fact('the figures count rows by table and commits', async (t, kit) => {
    const store = await kit.open();
    await store.commit([{ put: 'accounts', id: 'usr_1', record: account('a') }]);
    await store.commit([{ put: 'accounts', id: 'usr_2', record: account('b') }]);
    const stats = await store.stats();
    t.like(stats, { commits: 2, writable: true });
    t.is(stats.rows.accounts, 2);
    t.is(stats.rows.sessions, 0);
    t.true(stats.bytes > 0);
  });

  fact(
    'a closed store rejects everything; closing waits for what was asked before, and may be asked twice',
    async (t, kit) => {
      const store = await kit.open();
      const pending = store.commit([{ put: 'accounts', id: 'usr_1', record: account('a') }]);
      await Promise.all([store.close(), store.close()]);
      await t.notThrowsAsync(pending);
      const unavailable = { instanceOf: StoreUnavailable };
      await t.throwsAsync(store.get('accounts', 'usr_1'), unavailable);
      await t.throwsAsync(store.find('accounts', 'all', ''), unavailable);
      await t.throwsAsync(store.commit([{ remove: 'accounts', id: 'usr_1' }]), unavailable);
      await t.throwsAsync(store.sweep(0), unavailable);
      await t.throwsAsync(store.stats(), unavailable);
      await t.throwsAsync(allRows(store), unavailable);
      t.truthy(await (await kit.open()).get('accounts', 'usr_1'));
    },
  );
}

type Readable = Pick<OpenedStore, 'rows'>;

async function allRows(store: Readable): Promise<StoredRow[]> {
  const rows: StoredRow[] = [];
  for await (const batch of store.rows()) rows.push(...batch);
  return rows;
}

const textOf = (rows: readonly StoredRow[]): string =>
  sha256(
    rows
      .map((row) => JSON.stringify(row))
      .toSorted()
      .join('\n'),
  );

/** A place, the store open in it, and the time there. */
class Kit {
  now = START;
  store: (Store & Readable) | undefined;
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async open(): Promise<Store & Readable> {
    this.store = await this.#place.open(() => this.now);
    return this.store;
  }

  async restart(): Promise<Store & Readable> {
    await this.store?.close();
    return await this.open();
  }
}
