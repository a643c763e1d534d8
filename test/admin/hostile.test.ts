/** What nobody would send, races, and the store underneath: nothing breaks, and nothing is done twice or by half. */
import test from 'ava';
import fc from 'fast-check';
import { router } from '../../src/admin/api/router.ts';
import { ROUTES, type Route } from '../../src/admin/api/routes.ts';
import { shapesOf } from '../../src/operations/index.ts';
import { type Change, StoreUnavailable } from '../../src/store/index.ts';
import { signIn } from '../support/client.ts';
import { addOperator } from '../support/operators.ts';
import { addPerson, CALLBACK, PASSWORD, startPostern } from '../support/postern.ts';
import { startDatabaseServer } from '../support/postgres.ts';
import { changed, kept } from '../support/tables.ts';
import { UserAgent } from '../support/user-agent.ts';
import { ask, operating, type Told } from './operator.ts';

const databases = startDatabaseServer();
test.after.always(async () => (await databases).remove());

const STORES: Readonly<Record<string, () => Promise<Record<string, string>>>> = {
  files: async () => ({}),
  PostgreSQL: async () => ({ POSTERN_DATABASE_URL: (await (await databases).create()).url }),
};

/** Texts that have broken something somewhere. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.constantFrom(
    '',
    '\0',
    'a\0@b.example',
    '\ud800',
    '__proto__',
    '..',
    '%2e%2e',
    "' or 1=1 --",
    'x'.repeat(5000),
    '💥',
  ),
);

const value = fc.oneof(
  text,
  fc.jsonValue(),
  fc.constantFrom(null, -1, 1e308, Number.MAX_SAFE_INTEGER, [], {}, [null], [[]], true),
);

const takenBy = ({ operation }: Route): readonly string[] =>
  Object.keys((shapesOf(operation).takes as unknown as { shape: object }).shape);

/** A body with the right names and wrong values, or with none of them right, or no object at all. */
const bodyFor = (route: Route) =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record(Object.fromEntries(takenBy(route).map((name) => [name, value])), { requiredKeys: [] }),
    },
    { weight: 1, arbitrary: fc.dictionary(text, value, { maxKeys: 5 }) },
    { weight: 1, arbitrary: value },
  );

const requested = fc.constantFrom(...ROUTES).chain((route) =>
  fc.record({
    route: fc.constant(route),
    inPath: text.filter((each) => each.isWellFormed()),
    body: route.method === 'GET' ? fc.constant(undefined) : bodyFor(route),
    query: route.method === 'GET' ? fc.dictionary(fc.constantFrom(...takenBy(route), 'x'), text) : fc.constant({}),
  }),
);

/** What the routes make when nothing is wrong is no damage. */
const DONE = [200, 201];

for (const [store, env] of Object.entries(STORES))
  test.serial(`whatever is sent is answered below 500, and what is refused changes nothing (${store})`, async (t) => {
    const postern = await startPostern({ env: await env() });
    t.teardown(() => postern.close());
    const { as } = await operating(postern);
    await addPerson(postern);
    let before = await kept(postern.store);
    await fc.assert(
      fc.asyncProperty(requested, async ({ route, inPath, body, query }) => {
        const path = route.path.replace(/\{\w+\}/g, () => encodeURIComponent(inPath));
        const asked = new URLSearchParams();
        for (const [name, each] of Object.entries<string>(query)) asked.set(name, each.toWellFormed());
        const { status, told, text: said } = await as(`${route.method} ${path}${asked.size ? `?${asked}` : ''}`, body);
        t.true(status < 500, `${route.method} ${path} ${JSON.stringify(body)}: ${status} ${said}`);
        if (status >= 400) t.deepEqual(Object.keys(told ?? {}), ['error', 'error_description', 'error_id'], said);
        const after = await kept(postern.store);
        if (!DONE.includes(status)) t.deepEqual(changed(before, after), [], `${route.id} ${JSON.stringify(body)}`);
        before = after;
      }),
      { numRuns: store === 'files' ? 600 : 200 },
    );
  });

for (const [store, env] of Object.entries(STORES))
  test.serial(`of 20 who add one address at once, one does, and the others are told (${store})`, async (t) => {
    const postern = await startPostern({ env: await env() });
    t.teardown(() => postern.close());
    const { as, robot } = await operating(postern);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => as('POST /users', { email: 'ada@example.com' })),
    );
    t.deepEqual(answers.map(({ status }) => status).toSorted(), [201, ...Array.from({ length: 19 }, () => 409)]);
    t.true(answers.every(({ status, told }) => status === 201 || ['email_taken', 'conflict'].includes(told.error)));
    const uris = await Promise.all(Array.from({ length: 20 }, () => as('POST /resources', { uri: 'urn:example:x' })));
    t.is(uris.filter(({ status }) => status === 201).length, 1);
    t.is(uris.filter(({ status }) => status === 409).length, 19);
    const events = (await as('GET /events?type=account.added')).told.items as Told[];
    t.is(events.length, 1);
    t.is(events[0].details.by_client, robot.id);
  });

for (const [store, env] of Object.entries(STORES))
  test.serial(`what one request asks for is one commit: all of it happens or nothing (${store})`, async (t) => {
    const postern = await startPostern({ env: await env() });
    t.teardown(() => postern.close());
    const { as } = await operating(postern);
    const { domain } = postern;
    const commit = postern.store.commit.bind(postern.store);
    let commits: (readonly Change[])[] = [];
    Object.assign(postern.store, {
      async commit(changes: readonly Change[]) {
        // What is mailed goes its own way.
        if (changes.some((each) => ('put' in each ? each.put : each.remove) !== 'deliveries')) commits.push(changes);
        await commit(changes);
      },
    });
    const done = async (line: string, body?: object): Promise<Told> => {
      commits = [];
      const { status, told } = await as(line, body);
      t.true(DONE.includes(status), `${line} ${JSON.stringify(told)}`);
      t.is(commits.length, 1, line);
      asked.add(`${line.split(' ')[0]} ${place(line.split(' ')[1]!)!}`);
      return told;
    };
    const asked = new Set<string>();
    const find = router();
    const place = (path: string) => [...(find(path)?.routes.values() ?? [])][0]?.path;

    await addOperator(postern);
    const { id } = await done('POST /users', { email: 'ada@example.com', password: PASSWORD, name: 'Ada' });
    const there = new UserAgent(postern.issuer);
    await signIn(there, await there.get('/account'), 'ada@example.com');
    const [session] = (await as(`GET /users/${id}/sessions`)).told.items;
    await done(`DELETE /users/${id}/sessions/${session.id}`);
    await domain.accounts.update(id, { emailVerified: true });
    const { client } = await domain.clients.add({ name: 'Photos', type: 'web', redirectUris: [CALLBACK] });
    await domain.consents.remember({ accountId: id, clientId: client.id, scopes: ['openid'] });
    const all = { name: 'Ada King', email: 'king@example.com', email_verified: true, admin: true, disabled: true };
    t.like(await done(`PATCH /users/${id}`, all), all);
    t.deepEqual((await as(`GET /events?user=${id}&limit=3`)).told.items.map(({ type }: Told) => type).toSorted(), [
      'account.disabled',
      'account.updated',
      'consent.given',
    ]);
    t.like(await done(`PATCH /users/${id}`, { disabled: false }), { ...all, disabled: false });
    const bob = { email: 'bob@example.com', name: 'Bob', admin: true };
    t.regex((await done('POST /invitations', bob)).link, /token=/);
    await done('POST /invitations', { email: 'bob@example.com' });
    await done(`DELETE /users/${id}/sessions`);
    await done(`PUT /users/${id}/password`, { password: 'a newer and longer password' });
    t.regex((await done(`POST /users/${id}/password-reset`)).link, /token=/);
    await domain.recoveryCodes.put(id, ['one-of-them']);
    await done(`DELETE /users/${id}/factors`);

    const made = await done('POST /clients', { name: 'x', type: 'service' });
    await done(`PATCH /clients/${made.client_id}`, { name: 'y' });
    await done(`POST /clients/${made.client_id}/secret`);
    await done(`DELETE /clients/${client.id}`);
    t.deepEqual(await domain.consents.allForAccount(id), []);
    await done('POST /resources', { uri: 'urn:example:x' });
    await done('PATCH /resources/urn:example:x', { ttl: 60 });
    await done('DELETE /resources/urn:example:x');
    await done('POST /upstreams', { id: 'git', kind: 'github', client_id: 'x', client_secret: 'y' });
    await done('PATCH /upstreams/git', { name: 'Git' });
    const upstream = (await domain.upstreams.get('git'))!;
    await domain.identities.link(id, { upstream, subject: 'ada' });
    t.is((await done('DELETE /upstreams/git')).unlinked, 1);
    t.deepEqual(await domain.identities.listForAccount(id), []);
    const leave = await done('POST /registration-tokens', {});
    await done(`DELETE /registration-tokens/${leave.id}`);
    const { kid } = await done('POST /keys', { alg: 'ES256' });
    await done(`DELETE /keys/${kid}`);
    await done(`DELETE /users/${id}`);
    t.deepEqual(
      ROUTES.filter(({ method, path }) => method !== 'GET' && !asked.has(`${method} ${path}`)).map(({ id }) => id),
      [],
      'and each was asked here',
    );
  });

for (const [store, env] of Object.entries(STORES))
  test.serial(`of 20 who remove one thing at once, one does, and the others are told (${store})`, async (t) => {
    const postern = await startPostern({ env: await env() });
    t.teardown(() => postern.close());
    const { as } = await operating(postern);
    const made = async (line: string, body: object, id: string) =>
      `${line}/${(await as(`POST ${line}`, body)).told[id]}`;
    const signedIn = async ({ id, email }: { readonly id: string; readonly email: string }) => {
      const agent = new UserAgent(postern.issuer);
      await signIn(agent, await agent.get('/account'), email);
      return `/users/${id}/sessions/${(await as(`GET /users/${id}/sessions`)).told.items[0].id}`;
    };
    for (const path of [
      await signedIn(await addPerson(postern, 'eve@example.com')),
      await made('/users', { email: 'ada@example.com' }, 'id'),
      await made('/clients', { name: 'x', type: 'service' }, 'client_id'),
      await made('/resources', { uri: 'urn:example:x' }, 'uri'),
      await made('/upstreams', { id: 'git', kind: 'github', client_id: 'x' }, 'id'),
      await made('/registration-tokens', {}, 'id'),
    ]) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => as(`DELETE ${path}`)));
      t.is(answers.filter(({ status }) => status === 200).length, 1, path);
      t.is(answers.filter(({ status }) => status === 404 || status === 409).length, 19, path);
      const removed = (await as('GET /events?limit=20')).told.items.filter(({ type }: Told) =>
        /removed|withdrawn|ended/.test(type),
      );
      t.is(new Set(removed.map(({ type }: Told) => type)).size, removed.length, path);
    }
  });

test.serial('a store that cannot answer is 503, with what to do', async (t) => {
  const postern = await startPostern();
  t.teardown(() => postern.close());
  const { token, as } = await operating(postern);
  const { store } = postern;
  const commit = store.commit;
  Object.assign(store, { commit: () => Promise.reject(new StoreUnavailable('the disk is full')) });
  const refused = await as('POST /users', { email: 'ada@example.com' });
  Object.assign(store, { commit });
  t.is(refused.status, 503);
  t.is(refused.told.error, 'temporarily_unavailable');
  t.truthy(refused.headers.get('retry-after'));
  t.is((await as('POST /users', { email: 'ada@example.com' })).status, 201);
  t.is((await ask(postern, 'GET /users', { token })).status, 200);
});
