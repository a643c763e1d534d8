/** Lists, page by page: nothing is missed, given twice or of another list, whatever happens meanwhile and whatever is asked. */
import test, { type ExecutionContext } from 'ava';
import { auditEvent } from '../../src/domain/audit.ts';
import { sha256 } from '../../src/lib/index.ts';
import { perform } from '../../src/operations/index.ts';
import { signInOften } from '../support/kept-sign-ins.ts';
import { addClient, addPerson, CALLBACK, type Postern, startPostern } from '../support/postern.ts';
import { startDatabaseServer } from '../support/postgres.ts';
import { operating, type Told } from './operator.ts';

const databases = startDatabaseServer();
test.after.always(async () => (await databases).remove());

const STORES: Readonly<Record<string, () => Promise<Record<string, string>>>> = {
  files: async () => ({}),
  PostgreSQL: async () => ({ POSTERN_DATABASE_URL: (await (await databases).create()).url }),
};

async function opened(t: ExecutionContext, env: () => Promise<Record<string, string>>) {
  const postern = await startPostern({ env: await env() });
  t.teardown(() => postern.close());
  const { as } = await operating(postern);

  /** Every page of a list. */
  async function pages(path: string, between: (page: Told[]) => Promise<unknown> = async () => {}): Promise<Told[][]> {
    const all: Told[][] = [];
    let next: string | undefined;
    do {
      const join = path.includes('?') ? '&' : '?';
      const { status, told } = await as(`GET ${path}${next ? `${join}after=${encodeURIComponent(next)}` : ''}`);
      t.is(status, 200, path);
      all.push(told.items);
      next = told.next;
      if (next) await between(told.items);
    } while (next !== undefined);
    return all;
  }
  return { postern, as, pages };
}

/** Counts the rows of a table that are read: `count` notes how many they were since it was called last. */
function counting({ store }: Pick<Postern, 'store'>, table: string) {
  const { find } = store;
  const counted: number[] = [];
  let rows = 0;
  Object.assign(store, {
    async find(...asked: Parameters<typeof find>) {
      const found = await find.apply(store, asked);
      if (asked[0] === table) rows += found.rows.length;
      return found;
    },
  });
  return {
    counted,
    async count() {
      counted.push(rows);
      rows = 0;
    },
    stop: () => Object.assign(store, { find }),
  };
}

for (const [store, env] of Object.entries(STORES)) {
  test.serial(
    `events come in pages, the newest first, and those of meanwhile move none of them (${store})`,
    async (t) => {
      const { postern, as, pages } = await opened(t, env);
      const ada = await addPerson(postern);
      for (let i = 0; i < 7; i += 1) await as(`PATCH /users/${ada.id}`, { name: `Ada ${i}` });
      await as('POST /users', { email: 'bob@example.com' });
      const before = (await as('GET /events')).told.items as Told[];
      const meanwhile = () => as(`PATCH /users/${ada.id}`, { name: 'Ada of meanwhile' });
      const read = await pages('/events?limit=3', meanwhile);
      t.deepEqual(read.flat(), before);
      t.deepEqual(
        read.flat().map(({ at }) => at),
        before.map(({ at }) => at).toSorted((a: string, b: string) => b.localeCompare(a)),
      );
      t.true(read.slice(0, -1).every((page) => page.length === 3));

      const corrected = before.filter(({ type }) => type === 'account.updated');
      const since = await pages('/events?type=account.updated&limit=2');
      t.deepEqual(since.flat().slice(-corrected.length), corrected);
      t.deepEqual(
        (await pages(`/events?user=${ada.id}&limit=4`)).flat().map(({ id }) => id),
        (await as(`GET /events?user=${ada.id}`)).told.items.map(({ id }: Told) => id),
      );
    },
  );

  test.serial(
    `whoever looks for what hardly ever happens is given a page after few rows, and finds it (${store})`,
    async (t) => {
      const { postern, pages } = await opened(t, env);
      const at = Date.now();
      const rare = auditEvent(at - 11_000, 'refresh_token.reused', {});
      await postern.store.commit([rare]);
      for (let from = 0; from < 12_000; from += 1000)
        await postern.store.commit(
          Array.from({ length: 1000 }, (_, i) => auditEvent(at - from - i, 'session.started', {})),
        );
      const { counted, count, stop } = counting(postern, 'audit');
      const read = await pages('/events?type=refresh_token', count);
      stop();
      t.deepEqual(
        read.flat().map(({ id }) => id),
        [rare.id],
      );
      t.deepEqual(
        read.map((page) => page.length),
        [0, 0, 1],
        'a page may hold nothing and have a next one',
      );
      t.true(
        counted.every((each) => each <= 5500),
        `${counted}`,
      );
    },
  );

  test.serial(
    `who is looked for among many is found in pages of few rows each, and everybody once (${store})`,
    async (t) => {
      const { postern, pages } = await opened(t, env);
      const { id: _, ...record } = await addPerson(postern, 'template@example.com');
      const MANY = 41_000;
      for (let from = 0; from < MANY; from += 1000)
        await postern.store.commit(
          Array.from({ length: 1000 }, (_, i) => {
            const n = from + i;
            const person = { ...record, name: n % 20_500 === 9 ? 'Zoë Meyer' : 'Eva', email: `p${n}@example.com` };
            return { put: 'accounts' as const, id: `usr_${String(n).padStart(6, '0')}`, record: person };
          }),
        );
      const { counted, count, stop } = counting(postern, 'accounts');
      const few = await pages('/users?search=ZO%C3%8B', count);
      t.deepEqual(
        few.map((page) => page.map(({ id }) => id)),
        [['usr_000009'], ['usr_020509'], []],
      );
      t.deepEqual(
        counted.map((each) => each <= 20_500),
        [true, true],
        `${counted}`,
      );
      stop();
      const many = await pages('/users?search=p4@&limit=1');
      t.deepEqual(
        many.flat().map(({ email }) => email),
        ['p4@example.com'],
      );
      const everybody = await pages('/users?search=eva&limit=1000');
      t.is(new Set(everybody.flat().map(({ id }) => id)).size, MANY - 2);
      t.is(everybody.flat().length, MANY - 2);
    },
  );

  test.serial(`a page goes on where the one before ended, though what it ended with is gone (${store})`, async (t) => {
    const { postern, as, pages } = await opened(t, env);
    const name = (n: number) => String(n).padStart(2, '0');
    for (let n = 0; n < 9; n += 1) {
      await addPerson(postern, `p${name(n)}@example.com`);
      await as('POST /clients', { name: `App ${name(n)}`, type: 'web', redirect_uris: [CALLBACK] });
      await as('POST /resources', { uri: `https://api.example.com/${name(n)}` });
      await as('POST /registration-tokens', {});
    }
    for (const [path, id] of [
      ['/users', 'id'],
      ['/clients', 'client_id'],
      ['/resources', 'uri'],
      ['/registration-tokens', 'id'],
    ] as const) {
      const all = (await as(`GET ${path}`)).told.items.map((item: Told) => item[id]);
      const read = await pages(`${path}?limit=2`, async (page) => {
        const last = page.at(-1);
        if (last.client_name === 'Robot' || last.uri?.endsWith('/admin/api/v1')) return;
        t.is((await as(`DELETE ${path}/${encodeURIComponent(last[id])}`)).status, 200);
      });
      t.deepEqual(
        read.flat().map((item) => item[id]),
        all,
        path,
      );
    }
  });

  test.serial(
    `sign-ins of one person come in pages that no use of them moves, and in one list where all are asked for (${store})`,
    async (t) => {
      const { postern, as, pages } = await opened(t, env);
      const { id, email } = await addPerson(postern);
      const ids = await signInOften(postern, await addClient(postern, { firstParty: true }), email, 110);
      const { told } = await as(`GET /users/${id}/sessions`);
      t.is(told.items.length, 100);
      const places = await postern.store.find('session_places', 'accountId', id, { limit: 1000 });
      const unseen = places.rows.slice(55);
      const read = await pages(`/users/${id}/sessions?limit=50`, async ([{ id: first }]) => {
        const used = unseen.map(({ id, record }) => ({
          put: 'session_places' as const,
          id,
          record: { ...record, lastSeenAt: Date.now() },
        }));
        await postern.store.commit(used);
        await as(`DELETE /users/${id}/sessions/${first}`);
      });
      t.deepEqual(
        read.map((page) => page.length),
        [50, 50, 11],
      );
      t.deepEqual(
        read.flat().map((session) => session.id),
        ids.toSorted(),
      );
      const all = (await perform(postern.domain, 'user.sessions', { user: id })) as Told[];
      t.is(all.length, 109);
      t.true(all.every(({ last_seen_at }, i) => i === 0 || last_seen_at <= all[i - 1].last_seen_at));
    },
  );

  test.serial(
    `a cursor of another list, or of none, is refused, and so is no number of items (${store})`,
    async (t) => {
      const { postern, as } = await opened(t, env);
      const ada = await addPerson(postern);
      const { client } = await postern.domain.clients.add({ name: 'x', type: 'service' });
      const { items } = (await as('GET /events')).told;
      const ids = {
        [`/users/${ada.id}/sessions`]: sha256('a session'),
        '/users': ada.id,
        '/clients': client.id,
        '/resources': 'https://api.example.com/v1',
        '/registration-tokens': 'reg_x',
        '/events': items[0].id,
      };
      const hostile = [
        'x',
        '\0',
        '\ufffd',
        "' or 1=1 --",
        '%',
        ' usr_',
        '-1',
        'null',
        'x'.repeat(4001),
        '\u{10ffff}',
        '"',
      ];
      for (const [path, own] of Object.entries(ids)) {
        for (const cursor of [...Object.values(ids).filter((id) => id !== own), ...hostile]) {
          const { status, told } = await as(`GET ${path}?after=${encodeURIComponent(cursor)}`);
          t.is(status, 400, `${path} ${cursor}`);
          t.is(told.items, undefined);
        }
        const other = Object.values(ids).find((id) => id !== own)!;
        const { told } = await as(`GET ${path}?after=${encodeURIComponent(other)}`);
        t.is(told.error, 'arguments_invalid');
        t.is(told.error_description, 'after: is the `next` of no page of this list');
        for (const cursor of [`${own}\u{10ffff}`, `${own}' or 1=1 --`, `${own}${'x'.repeat(3000)}`, ''])
          t.is((await as(`GET ${path}?after=${encodeURIComponent(cursor)}`)).status, 200, `${path} ${cursor}`);
        for (const limit of ['0', '-1', '1e9', 'abc', '1001', '1000000000', '1.5', '', ' 1', '0x10', '1&limit=2']) {
          const { status, told } = await as(`GET ${path}?limit=${limit}`);
          t.is(status, 400, `${path} limit=${limit}`);
          t.regex(told.error_description, /^limit: /);
        }
        t.is((await as(`GET ${path}?after=${own}&after=${own}`)).status, 400);
        t.is((await as(`GET ${path}?limit=1000`)).status, 200);
      }
    },
  );
}
