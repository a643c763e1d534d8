import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import * as oidc from 'openid-client';
import { authorize } from '../support/client.ts';
import { hostileText } from '../support/hostile.ts';
import { atDesk } from '../support/operators.ts';
import { addPerson, CALLBACK, type Postern, startPostern } from '../support/postern.ts';
import { startDatabaseServer } from '../support/postgres.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

let postern: Postern;
test.before(async () => {
  postern = await startPostern();
  await addPerson(postern);
  await postern.domain.resources.add({ uri: 'https://files.example', name: 'Files', scopes: ['files.read'] });
});
test.after.always(() => postern?.close());

const WEB = { type: 'web', name: 'Fish & Chips', redirect_uris: CALLBACK };

const TERMS = { type: 'web', redirectUris: [CALLBACK] } as const;

const unescaped = (text = '') => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"');
const fieldOf = ({ html }: Answer, id: string) =>
  unescaped(new RegExp(`<textarea id="${id}"[^>]*>\\n?([^<]*)`).exec(html)?.[1]);
/** What is shown once. */
const shown = (answer: Answer) => ({ id: fieldOf(answer, 'id'), secret: fieldOf(answer, 'once') });

const signedIn = (server: Postern, client: { id: string; secret: string }) =>
  authorize(server, client, {}, new UserAgent(server.issuer), 'ada@example.com');

async function fromTheFirstToTheLast(t: ExecutionContext, server: Postern) {
  const { agent, page, person } = await atDesk(server, '/admin/applications/new');
  const made = await agent.press(page, 'Add it', { ...WEB, first_party: 'yes' });
  t.is(made.page, 'admin-once');
  t.is(made.headers.get('cache-control'), 'no-store');
  const client = shown(made);
  t.is(typeof (await signedIn(server, client)).tokens.id_token, 'string');

  const its = await agent.get(`/admin/applications/${client.id}`);
  t.regex(its.html, /Fish &amp; Chips[\s\S]*Web application/);
  t.notRegex(its.html, new RegExp(client.secret));
  const rotated = shown(await agent.press(its, 'Make a new secret', { keep: '0' }));
  t.is(rotated.id, client.id);
  await t.throwsAsync(signedIn(server, client), { instanceOf: oidc.WWWAuthenticateChallengeError });
  await signedIn(server, rotated);
  const again = await agent.press(its, 'Make a new secret', { keep: '3600' });
  t.is(again.status, 400, 'a form that was shown before the secret changed makes no other');
  const newest = shown(await agent.press(again, 'Make a new secret', { keep: '3600' }));
  for (const each of [newest, rotated]) await signedIn(server, each);
  t.regex((await agent.get(its.url)).html, /An old secret is good until/);
  t.is((await agent.press(its, 'Make a new secret', { keep: '99999999' })).status, 400);

  const asked = await agent.get(`/admin/applications/${client.id}/remove`);
  t.regex(asked.html, /Fish &amp; Chips/);
  t.regex((await agent.press(asked, 'Remove')).html, /The application is removed/);
  t.is((await agent.get(its.url)).status, 404);
  await t.throwsAsync(signedIn(server, newest));
  t.notRegex(agent.visited.join(), new RegExp(`${client.secret}|${newest.secret}`));
  for await (const { type, clientId, details } of server.domain.audit.events())
    if (clientId === client.id && type.startsWith('client.')) {
      t.is(details['by'], person.id, type);
      t.notRegex(JSON.stringify(details), new RegExp(`${client.secret}|${newest.secret}`));
    }
}

test.serial(
  'an application is made in the pages, signs people in with the secret shown, gets another, and is removed',
  (t) => fromTheFirstToTheLast(t, postern),
);

test.serial('and so it is on PostgreSQL', async (t) => {
  const databases = await startDatabaseServer();
  t.teardown(() => databases.remove());
  const { url } = await databases.create();
  const server = await startPostern({ env: { POSTERN_DATABASE_URL: url } });
  t.teardown(() => server.close());
  await addPerson(server);
  await fromTheFirstToTheLast(t, server);
});

test.serial('a double click adds one application, and both are shown its secret; nobody else is', async (t) => {
  const { agent, page } = await atDesk(postern, '/admin/applications/new');
  const before = (await postern.domain.clients.list()).clients.length;
  const add = (by: UserAgent) => by.press(page, 'Add it', { ...WEB, name: 'Twice' });
  const stranger = new UserAgent(postern.issuer);
  const [first, second, third] = await Promise.all([add(agent), add(agent), add(stranger)]);
  t.deepEqual(shown(first), shown(second));
  t.is(third.page, 'login');
  t.is((await postern.domain.clients.list()).clients.length, before + 1);
});

test.serial('what is refused is said at the form, in its language, and what was typed is still there', async (t) => {
  const { agent, page } = await atDesk(postern, '/admin/applications/new');
  const typed = { ...WEB, redirect_uris: 'http://books.example/back', scopes: 'a b', api0: 'https://files.example' };
  const wrong = await agent.press(page, 'Add it', { ...typed, device_grant: 'yes' });
  t.is(wrong.status, 400);
  t.regex(wrong.html, /role="alert"[\s\S]*One of the redirect URIs[\s\S]*lang="en"[^>]*>[\s\S]*must be https/);
  t.is(fieldOf(wrong, 'redirect_uris'), typed.redirect_uris);
  t.is(fieldOf(wrong, 'scopes'), 'a b');
  t.regex(wrong.html, /value="Fish &amp; Chips"/);
  for (const ticked of ['type-web', 'api0', 'device_grant'])
    t.regex(wrong.html, new RegExp(`id="${ticked}"[^>]* checked`));
  t.notRegex(wrong.html, /id="first_party"[^>]* checked/);
  const german = new UserAgent(postern.issuer, { 'accept-language': 'de' });
  for (const [key, cookie] of agent.cookies) german.cookies.set(key, cookie);
  const falsch = await german.press(page, 'Add it', { ...WEB, name: '' });
  t.regex(falsch.html, /lang="de"[\s\S]*Dieser Name geht nicht/);
  for (const [fields, says] of [
    [{ redirect_uris: '' }, /at least one redirect URI/],
    [{ type: 'service' }, /A service has no redirect URI/],
    [{ type: 'nonsense' }, /not what it should be/],
    [{ post_logout_redirect_uris: 'x' }, /after signing out cannot/],
    [{ scopes: 'a"b' }, /One of the scopes/],
    [{ apis: 'https://nowhere.example' }, /One of the APIs/],
  ] as const)
    t.regex((await agent.press(page, 'Add it', { ...WEB, ...fields })).html, says);
});

test.serial('an application without a secret is added without one, and its terms are changed', async (t) => {
  const { agent, page } = await atDesk(postern, '/admin/applications/new');
  const added = await agent.press(page, 'Add it', { ...WEB, type: 'spa', name: 'Spa', api0: 'https://files.example' });
  t.is(added.page, 'admin-application');
  t.regex(added.html, /The application is added[\s\S]*a public client/);
  t.notRegex(added.html, /value="rotate"/);
  const id = added.url.split('/').at(-1)!.split('?')[0]!;
  t.deepEqual((await postern.domain.clients.get(id))?.resources, ['https://files.example']);
  const saved = await agent.press(added, 'Save', { name: 'Spa two', redirect_uris: `${CALLBACK}\r\n${CALLBACK}/2` });
  t.regex(saved.html, /It is saved/);
  const now = await postern.domain.clients.get(id);
  t.deepEqual([now?.name, now?.redirectUris, now?.resources], ['Spa two', [CALLBACK, `${CALLBACK}/2`], []]);
  const late = await agent.press(added, 'Save', { name: 'Spa three', redirect_uris: CALLBACK });
  t.is(late.status, 400);
  t.regex(late.html, /Somebody else changed[\s\S]*value="Spa three"/);
  t.regex((await agent.press(late, 'Save', { name: 'Spa three', redirect_uris: CALLBACK })).html, /It is saved/);
  t.is((await postern.domain.clients.get(id))?.name, 'Spa three');
});

test.serial('a form that was open while somebody else changed the application undoes nothing of it', async (t) => {
  const { clients } = postern.domain;
  const { client } = await clients.add({ name: 'Two desks', type: 'web', redirectUris: [CALLBACK] });
  const { agent, page } = await atDesk(postern, `/admin/applications/${client.id}`);
  await clients.update(client.id, { name: 'The other desk', redirectUris: [`${CALLBACK}/new`], firstParty: true });
  const open = { name: 'Two desks', redirect_uris: CALLBACK };
  t.regex((await agent.press(page, 'Save', { ...open, scopes: 'openid' })).html, /It is saved/);
  const now = { name: 'The other desk', redirectUris: [`${CALLBACK}/new`], firstParty: true, scopes: ['openid'] };
  t.like(await clients.get(client.id), now);
  const late = await agent.press(page, 'Save', { ...open, name: 'This desk', scopes: 'openid' });
  t.regex(late.html, /Somebody else changed[\s\S]*value="This desk"[\s\S]*callback\/new/);
  t.like(await clients.get(client.id), now);
});

/** An application makes itself known, and can say something else of itself. */
async function registersItself(metadata: Record<string, unknown>) {
  const tell = async (method: string, url: string, token: string, body: object) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    return (await (await fetch(url, { method, headers, body: JSON.stringify(body) })).json()) as Record<string, string>;
  };
  const { token } = await postern.domain.registrations.allow();
  const {
    client_id = '',
    registration_client_uri: its = '',
    registration_access_token: key = '',
  } = await tell('POST', `${postern.issuer}/register`, token, metadata);
  return { client_id, restates: (other: object) => tell('PUT', its, key, { client_id, ...other }) };
}

test.serial('nobody is vouched for but who was looked at: not who the application became meanwhile', async (t) => {
  const itself = { client_name: 'Honest', redirect_uris: ['https://honest.example/back'] };
  const { client_id, restates } = await registersItself(itself);
  const { agent, page } = await atDesk(postern, `/admin/applications/${client_id}`);
  const vouchedFor = async () => (await postern.domain.clients.get(client_id))?.registration?.vouched === true;
  await restates({ client_name: 'Honest', redirect_uris: ['https://evil.example/back'] });
  const refused = await agent.press(page, 'Vouch for it');
  t.is(refused.status, 400);
  t.regex(refused.html, /Somebody else changed[\s\S]*evil\.example/);
  t.false(await vouchedFor());
  await restates(itself);
  const vouched = await agent.press(await agent.get(page.url), 'Vouch for it');
  t.true(await vouchedFor());
  await postern.domain.clients.update(client_id, { resources: ['https://files.example'] });
  await agent.press(vouched, 'No longer vouch');
  t.false(await vouchedFor(), 'that is always done');
});

test.serial('one that registered itself is vouched for, and keeps what an operator did not change', async (t) => {
  const client = await registersItself({ client_name: 'Itself', redirect_uris: ['https://itself.example/back'] });
  const { agent, page } = await atDesk(postern, '/admin/applications');
  t.regex(page.html, /Itself[\s\S]*Nobody vouches for it/);
  const its = await agent.get(`/admin/applications/${client.client_id}`);
  const vouched = await agent.press(its, 'Vouch for it');
  t.true((await postern.domain.clients.get(client.client_id))?.registration?.vouched);
  const same = { name: 'Itself', redirect_uris: 'https://itself.example/back' };
  const saved = await agent.press(vouched, 'Save', { ...same, first_party: 'yes' });
  t.deepEqual((await postern.domain.clients.get(client.client_id))?.registration?.decided, ['firstParty']);
  await agent.press(saved, 'No longer vouch');
  t.falsy((await postern.domain.clients.get(client.client_id))?.registration?.vouched);
});

test.serial(
  'an application with as many redirect URIs as it may have, and long ones, is added and changed',
  async (t) => {
    const uris = Array.from(
      { length: 50 },
      (_, i) => `https://app-${i}.example/${'path/'.repeat(50)}callback?tenant=${i}`,
    );
    const { agent, page } = await atDesk(postern, '/admin/applications/new');
    const added = shown(await agent.press(page, 'Add it', { ...WEB, redirect_uris: uris.join('\r\n') }));
    t.deepEqual((await postern.domain.clients.get(added.id))?.redirectUris, uris);
    const its = await agent.get(`/admin/applications/${added.id}`);
    const saved = await agent.press(its, 'Save', { name: 'Renamed', redirect_uris: fieldOf(its, 'redirect_uris') });
    t.regex(saved.html, /It is saved/);
    t.like(await postern.domain.clients.get(added.id), { name: 'Renamed', redirectUris: uris });
  },
);

test.serial('of many applications one is found by a part of its name, or its client_id', async (t) => {
  const server = await startPostern();
  t.teardown(() => server.close());
  const ids: string[] = [];
  for (const name of ['Straße & Café', ...Array.from({ length: 120 }, (_, n) => `Shop ${n}`)])
    ids.push((await server.domain.clients.add({ name, type: 'service' })).client.id);
  const { agent } = await atDesk(server);
  const found = async (name: string) => {
    const page = await agent.get(`/admin/applications?${new URLSearchParams({ name })}`);
    return { ...page, names: [...page.html.matchAll(/<li><a [^>]*><span><bdi>([^<]*)/g)].map(([, each]) => each) };
  };
  t.deepEqual((await found(' CAFE\u0301 ')).names, ['Straße &amp; Café']);
  t.deepEqual((await found('shop 11')).names, ['Shop 11', ...Array.from({ length: 10 }, (_, n) => `Shop 11${n}`)]);
  t.deepEqual((await found(ids[7]!)).names, ['Shop 6']);
  const many = await found('shop');
  t.is(many.names.length, 50);
  t.regex(many.html, /value="shop"[\s\S]*More than these/);
  t.notRegex(many.html, /rel="next"/);
  const none = await found('"><b>');
  t.regex(none.html, /Nothing was found[\s\S]*All applications/);
  t.notRegex(none.html, /<b>/);
  t.is((await found(' ')).names.length, 50, 'everything, page by page');
});

test.serial('what people have to prove for an application is on its page', async (t) => {
  const acrValues = ['urn:postern:acr:two-factor', 'phr'];
  const { client } = await postern.domain.clients.add({ ...TERMS, name: 'Vault', acrValues });
  const { agent, page } = await atDesk(postern, `/admin/applications/${client.id}`);
  t.regex(page.html, /People prove[\s\S]*urn:postern:acr:two-factor[\s\S]*phr/);
  const other = await postern.domain.clients.add({ ...TERMS, name: 'Garden' });
  t.notRegex((await agent.get(`/admin/applications/${other.client.id}`)).html, /People prove/);
});

test.serial("the server's own pages are no application that can be looked after", async (t) => {
  const { agent, page } = await atDesk(postern, '/admin/applications');
  t.notRegex(page.html, /applications\/account"/);
  for (const path of ['/admin/applications/account', '/admin/applications/account/remove', '/admin/applications/cli_x'])
    t.is((await agent.get(path)).status, 404, path);
});

test.serial('hostile fields are refused or kept, never a failure, and never markup', async (t) => {
  const { agent, person } = await atDesk(postern);
  const pages = await Promise.all(
    ['/admin/people/new', '/admin/people', '/admin/applications/new'].map((path) => agent.get(path)),
  );
  const NAMES = [
    'name',
    'email',
    'language',
    'admin',
    'type',
    'redirect_uris',
    'scopes',
    'apis',
    'api0',
    'keep',
    'seen',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...pages),
      fc.dictionary(fc.constantFrom(...NAMES), hostileText()),
      fc.constantFrom('add', 'invite', 'find', 'toString', ''),
      async (page, fields, decision) => {
        const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
        const answer = await agent.post(page.url, new URLSearchParams({ ...fields, csrf, decision }));
        t.true(answer.status < 500, JSON.stringify(fields));
        t.notRegex(answer.html, /<script(?! src="\/assets)|<img src=x/);
      },
    ),
    { numRuns: 150 },
  );
  for (const path of ['people', 'applications'])
    for (const after of ['x', "' OR 1=1 --", '\u{1F512}', 'x'.repeat(3000), '__proto__'])
      t.is((await agent.get(`/admin/${path}?after=${encodeURIComponent(after)}&done=${after}`)).status, 200, after);
  t.truthy(await postern.domain.accounts.get(person.id));
});
