import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { hostileText } from '../support/hostile.ts';
import { atDesk } from '../support/operators.ts';
import { addPerson, type Postern, startPostern } from '../support/postern.ts';
import { startDatabaseServer } from '../support/postgres.ts';
import type { Answer } from '../support/user-agent.ts';

let postern: Postern;
test.before(async () => {
  postern = await startPostern();
});
test.after.always(() => postern?.close());

const API = { uri: 'https://files.example/api/', name: 'Files', scopes: 'files.read\r\nfiles.write', ttl: '90s' };

test.serial('an API is added, changed, and removed when no application may ask for it any more', async (t) => {
  const { agent, page, person } = await atDesk(postern, '/admin/apis/new');
  const wrong = await agent.press(page, 'Add it', { ...API, ttl: 'soon', revocable: 'yes' });
  t.is(wrong.status, 400);
  t.regex(
    wrong.html,
    /role="alert"[\s\S]*no length of time[\s\S]*value="https:\/\/files.example\/api\/"[\s\S]*value="soon"[\s\S]*checked/,
  );
  for (const [fields, says] of [
    [{ uri: 'files' }, /This URI cannot be used/],
    [{ uri: postern.issuer }, /This URI cannot be used/],
    [{ scopes: 'a"b' }, /One of the scopes/],
    [{ ttl: '30d' }, /no length of time/],
    [{ name: 'x'.repeat(201) }, /This name cannot be used/],
  ] as const)
    t.regex((await agent.press(page, 'Add it', { ...API, ...fields })).html, says);
  const added = await agent.press(wrong, 'Add it', API);
  t.is(added.page, 'admin-api');
  t.regex(added.html, /The API is added[\s\S]*value="90s"/);
  t.like(await postern.domain.resources.get(API.uri), {
    name: 'Files',
    scopes: ['files.read', 'files.write'],
    ttl: 90_000,
  });
  t.regex((await agent.press(page, 'Add it', { ...API, name: 'Again' })).html, /here already/);
  const saved = await agent.press(added, 'Save', { name: '', scopes: 'files.read', ttl: '', revocable: 'yes' });
  t.regex(saved.html, /It is saved/);
  const { createdAt: _, ...now } = (await postern.domain.resources.get(API.uri))!;
  t.deepEqual(now, { uri: API.uri, scopes: ['files.read'], revocable: true });

  const { client } = await postern.domain.clients.add({ name: 'Sync', type: 'service', resources: [API.uri] });
  const remove = await agent.get(`${new URL(added.url).pathname}/remove`);
  const used = await agent.press(remove, 'Remove');
  t.is(used.status, 400);
  t.regex(used.html, /An application may still ask for it[\s\S]*Sync/);
  await postern.domain.clients.remove(client.id);
  t.regex((await agent.press(used, 'Remove')).html, /The API is removed/);
  t.is((await agent.get(added.url)).status, 404);
  const { events } = await postern.domain.audit.search({ type: 'resource', limit: 10 });
  t.deepEqual(
    events.map(({ type, details }) => [type, details['by']]),
    ['removed', 'updated', 'added'].map((what) => [`resource.${what}`, person.id]),
  );
});

test.serial('a form that was open while somebody else changed the API undoes nothing of it', async (t) => {
  const { resources } = postern.domain;
  const uri = 'https://two-desks.example';
  await resources.add({ uri, scopes: ['a'] });
  const { agent, page } = await atDesk(postern, `/admin/apis/${Buffer.from(uri).toString('base64url')}`);
  await resources.update(uri, { scopes: ['a', 'b'], revocable: true });
  t.regex((await agent.press(page, 'Save', { name: 'Desks', scopes: 'a', ttl: '' })).html, /It is saved/);
  t.like(await resources.get(uri), { name: 'Desks', scopes: ['a', 'b'], revocable: true });
  const late = await agent.press(page, 'Save', { name: 'Desks', scopes: 'c', ttl: '' });
  t.regex(late.html, /Somebody else changed/);
  t.deepEqual((await resources.get(uri))?.scopes, ['a', 'b']);
});

test.serial('a key is rotated once, and again only when it signs', async (t) => {
  const { agent, page, person } = await atDesk(postern, '/admin/keys');
  t.regex(page.html, /leaked[\s\S]*postern keys revoke[\s\S]*Signs · RS256/);
  const rotated = await agent.press(page, 'Publish a new key');
  t.regex(rotated.html, /A new key is published[\s\S]*Published, signs soon/);
  t.deepEqual(
    postern.domain.keys.list().map(({ state }) => state),
    ['signing', 'published'],
  );
  const again = await agent.press(rotated, 'Publish a new key');
  t.is(again.status, 400);
  t.regex(again.html, /A new key is published already/);
  t.is(postern.domain.keys.list().length, 2);
  const { events } = await postern.domain.audit.search({ type: 'key', limit: 10 });
  t.deepEqual(
    events.map(({ type, details }) => [type, details['by']]),
    [['key.rotated', person.id]],
  );
  t.regex((await agent.get('/admin/events?type=key')).html, /A new signing key was published/);
});

test.serial('why a request was refused is told by its id', async (t) => {
  const { agent } = await atDesk(postern);
  const refused = await agent.get('/authorize?client_id=nobody&redirect_uri=https://x.example/%3Cb%3E');
  const id = /err_[\w-]+/.exec(refused.html)?.[0] ?? '';
  const told = await agent.get(`/admin/explain?id=${id}`);
  t.regex(told.html, /invalid_client[\s\S]*client_id[\s\S]*nobody[\s\S]*&lt;b&gt;/);
  const same = await postern.domain.refusals.record({ error: 'x', sentence: 'The same.', rule: 'The same.' });
  t.is((await agent.get(`/admin/explain?id=${same}`)).html.split('The same.').length - 1, 1);
  const unknown = await agent.get('/admin/explain?id=err_x');
  t.is(unknown.status, 404);
  t.regex(unknown.html, /Nothing is known of this id[\s\S]*value="err_x"/);
});

test.serial('an event says what was changed, and leads to the application that was', async (t) => {
  const { accounts, clients, resources } = postern.domain;
  const { client } = await clients.add({ name: 'Changed', type: 'web', redirectUris: ['https://one.example/back'] });
  const { agent, page } = await atDesk(postern, `/admin/applications/${client.id}`);
  await agent.press(page, 'Save', { name: 'Changed', redirect_uris: 'https://two.example/back' });
  await resources.add({ uri: 'https://changed.example', scopes: ['a'] });
  await resources.update('https://changed.example', { scopes: ['a', 'b'], name: 'Changed' });
  const { id } = await addPerson(postern, 'rises@example.com');
  await accounts.update(id, { admin: true });
  const { html } = await agent.get('/admin/events');
  const told = (words: string) => html.split('<li>').find((event) => event.includes(words)) ?? '';
  t.regex(told('The account was changed'), /Operator[\s\S]*rises@example\.com[\s\S]*<bdi>admin</);
  t.regex(told('An API was changed'), /<bdi>name scopes</);
  t.regex(told('An application was changed'), new RegExp(`applications/${client.id}"[^]*<bdi>redirect_uris<`));
  await accounts.update(id, { admin: false });
});

/** Every event that the pages from this one on show, by its moment and words. */
async function everyEvent(agent: Awaited<ReturnType<typeof atDesk>>['agent'], first: Answer) {
  const seen: string[] = [];
  for (let at: Answer | undefined = first; at; ) {
    const list: string = at.html.slice(at.html.indexOf('<ul class="menu">'));
    seen.push(...[...list.matchAll(/<p class="value">([^<]*)/g)].map(([, words]) => words!));
    const next: string | undefined = /rel="next" href="([^"]+)"/.exec(at.html)?.[1];
    at = next === undefined ? undefined : await agent.get(next.replaceAll('&amp;', '&'));
  }
  return seen;
}

async function eventsAreFound(t: ExecutionContext, server: Postern) {
  const { agent } = await atDesk(server);
  const person = await addPerson(server, 'often@example.com');
  for (let n = 0; n < 60; n++) await server.domain.accounts.rename(person.id, `Ada ${n}`);
  for (let n = 0; n < 60; n++) await server.domain.resources.add({ uri: `https://n${n}.example` });
  const page = await agent.get('/admin/events');
  const all = await everyEvent(agent, page);
  t.is(all.filter((words) => words === 'The name was changed').length, 60);
  t.is(all.filter((words) => words === 'An API was added').length, 60);
  const theirs = await agent.press(page, 'Find', { user: 'often@example.com', type: 'account' });
  t.notRegex(theirs.url, /often/);
  t.is((await everyEvent(agent, theirs)).length, 61);
  t.is((await everyEvent(agent, await agent.press(page, 'Find', { user: '', type: 'account.renamed' }))).length, 60);
  t.regex((await agent.press(page, 'Find', { user: 'no@example.com', type: '' })).html, /Nobody here has this address/);
  await server.domain.accounts.remove(person.id);
  t.regex((await agent.get(`/admin/events?user=${person.id}`)).html, /The person was removed/);
}

test.serial('what happened is found by person and kind, each once, a removed one’s by their id', async (t) => {
  const server = await startPostern();
  t.teardown(() => server.close());
  await eventsAreFound(t, server);
});

test.serial('and so it is on PostgreSQL', async (t) => {
  const databases = await startDatabaseServer();
  t.teardown(() => databases.remove());
  const { url } = await databases.create();
  const server = await startPostern({ env: { POSTERN_DATABASE_URL: url } });
  t.teardown(() => server.close());
  await eventsAreFound(t, server);
});

test.serial('hostile fields and addresses are refused or kept, never a failure, and never markup', async (t) => {
  const { agent } = await atDesk(postern);
  const pages = await Promise.all(['/admin/apis/new', '/admin/keys', '/admin/events'].map((path) => agent.get(path)));
  const NAMES = ['uri', 'name', 'scopes', 'ttl', 'revocable', 'alg', 'user', 'type'];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...pages),
      fc.dictionary(fc.constantFrom(...NAMES), hostileText()),
      fc.constantFrom('add', 'rotate', 'filter', 'constructor'),
      hostileText(),
      async (page, fields, decision, text) => {
        const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
        const answers = [await agent.post(page.url, new URLSearchParams({ ...fields, csrf, decision }))];
        const odd = encodeURIComponent(text.toWellFormed());
        for (const path of [
          `explain?id=${odd}`,
          `events?user=${odd}&type=${odd}&after=${odd}`,
          `apis/${odd}`,
          `people/${odd}`,
        ])
          answers.push(await agent.get(`/admin/${path}`));
        for (const { status, html } of answers) {
          t.true(status < 500, JSON.stringify([fields, text]));
          t.notRegex(html, /<script(?! src="\/assets)|<img src=x/);
        }
      },
    ),
    { numRuns: 100 },
  );
});
