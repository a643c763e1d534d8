import test from 'ava';
import * as oidc from 'openid-client';
import { hours, minutes } from '../../src/lib/index.ts';
import { authorize, signIn } from '../support/client.ts';
import { pass, stop } from '../support/clock.ts';
import { startMailServer } from '../support/mail-server.ts';
import { addOperator, atDesk } from '../support/operators.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

let postern: Postern;
test.before(async () => {
  postern = await startPostern();
});
test.after.always(() => postern?.close());

let people = 0;
const somebody = () => addPerson(postern, `somebody${++people}@example.com`);

const eventsOf = async (id: string) => (await postern.domain.audit.listForAccount(id)).events;

test.serial('whoever is not signed in is asked to, and lands on the page they wanted, with its query', async (t) => {
  const { email } = await addOperator(postern);
  const agent = new UserAgent(postern.issuer);
  const asked = await agent.get('/admin/people?after=usr_5');
  t.is(asked.page, 'login');
  t.notRegex(asked.html, /People|Operator/);
  const page = await agent.submit(asked, { email, password: PASSWORD });
  t.is(page.page, 'admin-people');
  t.is(new URL(page.url).pathname + new URL(page.url).search, '/admin/people?after=usr_5');
  t.is(page.headers.get('cache-control'), 'no-store');
});

test.serial('signing in leads back to a page of operators, and nowhere else', async (t) => {
  const { agent } = await atDesk(postern);
  for (const state of [
    '//evil.example/admin',
    'https://evil.example/admin',
    '/admin/..//evil.example',
    '/admin/../account',
    '/account',
    'javascript:alert(1)',
    '/admin/nothing',
    '/admin/signed-in?state=/admin',
    '\\\\evil.example',
    '',
  ]) {
    const { page, url, left } = await agent.get(`/admin/signed-in?state=${encodeURIComponent(state)}`);
    t.is(left, undefined, state);
    t.is(page, 'home', `${state} ${url}`);
  }
  t.is((await agent.get('/admin/signed-in?state=/admin/people')).page, 'admin-people');
  t.is((await agent.get('/admin/signed-in?state=/admin&error=access_denied')).page, 'home');
});

test.serial('whoever is signed in and no operator is told so, and nothing else, and may sign in as one', async (t) => {
  const { email } = await somebody();
  const operator = await addOperator(postern);
  const agent = new UserAgent(postern.issuer);
  const refused = await signIn(agent, await agent.get('/admin/people'), email);
  t.is(refused.status, 403);
  t.is(refused.page, 'admin-refused');
  t.notRegex(refused.html, new RegExp(operator.email));
  for (const path of ['/admin', '/admin/people/new', `/admin/people/${operator.id}`, '/admin/people/usr_x'])
    t.is((await agent.get(path)).status, 403, path);
  const other = /href="(\/authorize[^"]*)"/.exec(refused.html)?.[1]?.replaceAll('&amp;', '&') ?? '';
  const choose = await agent.get(other);
  t.is(choose.page, 'choose');
  const login = await agent.press(choose, 'Another account');
  t.is((await agent.submit(login, { email: operator.email, password: PASSWORD })).page, 'admin-people');
});

test.serial('an account page leads an operator on, and nobody else', async (t) => {
  const { agent } = await atDesk(postern);
  t.regex((await agent.get('/account')).html, /href="\/admin"/);
  const other = new UserAgent(postern.issuer);
  const home = await signIn(other, await other.get('/account'), (await somebody()).email);
  t.notRegex(home.html, /href="\/admin"/);
});

test.serial('a page is shown for an hour after signing in, and a form is taken for a quarter more', async (t) => {
  const person = await somebody();
  const { agent, page } = await atDesk(postern, `/admin/people/${person.id}`);
  pass(hours(1) + minutes(1));
  t.is((await agent.get('/admin')).page, 'login');
  t.is((await agent.get(`/admin/people/${person.id}`)).page, 'login');
  const done = await agent.press(page, 'Disable');
  t.true((await postern.domain.accounts.get(person.id))?.disabled);
  t.is(done.page, 'login', 'what comes after it is a page again');
  pass(minutes(15));
  t.is((await agent.press(page, 'Disable')).page, 'login');
  await postern.domain.accounts.setDisabled(person.id, false);
  t.is((await agent.press(page, 'Disable')).page, 'login');
  t.false((await postern.domain.accounts.get(person.id))?.disabled);
});

const ENDS: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
  'is no operator any more': (id) => postern.domain.accounts.update(id, { admin: false }),
  'is disabled': (id) => postern.domain.accounts.setDisabled(id, true),
  'is removed': (id) => postern.domain.accounts.remove(id),
};

for (const [how, end] of Object.entries(ENDS))
  test.serial(`the open form of an operator who ${how} does nothing`, async (t) => {
    const person = await somebody();
    const { agent, page, person: operator } = await atDesk(postern, `/admin/people/${person.id}`);
    await end(operator.id);
    t.not((await agent.press(page, 'Disable')).page, 'admin-person');
    t.false((await postern.domain.accounts.get(person.id))?.disabled);
  });

test.serial('a form without its token, with that of another page or of another session, does nothing', async (t) => {
  const [person, other] = [await somebody(), await somebody()];
  const path = `/admin/people/${person.id}`;
  const { agent, page, person: operator } = await atDesk(postern, path);
  const again = await atDesk(postern, path, operator.email);
  const elsewhere = await agent.get(`/admin/people/${other.id}`);
  const tokenOf = ({ html }: Answer) => /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
  const send = (csrf: string) => agent.post(path, new URLSearchParams({ csrf, decision: 'disable' }));
  for (const csrf of ['', 'x', tokenOf(again.page), tokenOf(elsewhere), tokenOf(await agent.get('/account/profile'))]) {
    const answer = await send(csrf);
    t.is(answer.status, 403);
    t.is(answer.page, 'error');
  }
  t.false((await postern.domain.accounts.get(person.id))?.disabled);
  t.is((await send(tokenOf(page))).page, 'admin-person');
  t.true((await postern.domain.accounts.get(person.id))?.disabled);
});

test.serial(
  'an operator finds somebody, disables them, and lets them in again: what they held has ended, and events say whose doing it was',
  async (t) => {
    const person = await somebody();
    const client = await addClient(postern, { firstParty: true });
    const offline = { scope: 'openid offline_access', prompt: 'consent' };
    const theirs = await authorize(postern, client, offline, new UserAgent(postern.issuer), person.email);
    const { agent, page, person: operator } = await atDesk(postern, '/admin/people');
    const nobody = await agent.press(page, 'Find', { who: 'nobody@example.com' });
    t.is(nobody.status, 404);
    t.regex(nobody.html, /role="alert"[\s\S]*Nobody here[\s\S]*value="nobody@example.com"/);
    const found = await agent.press(nobody, 'Find', { who: ` ${person.email.toUpperCase()} ` });
    t.is(new URL(found.url).pathname, `/admin/people/${person.id}`);
    t.notRegex(agent.visited.join(), new RegExp(person.email), 'no address of theirs stands in a URL');
    t.regex(found.html, /Ada Lovelace[\s\S]*In 1 browser/);
    const disabled = await agent.press(found, 'Disable');
    t.regex(disabled.html, /role="status">They are disabled/);
    await t.throwsAsync(oidc.refreshTokenGrant(theirs.config, theirs.tokens.refresh_token!), {
      message: /invalid|error/i,
    });
    await t.throwsAsync(oidc.fetchUserInfo(theirs.config, theirs.tokens.access_token, oidc.skipSubjectCheck));
    const back = new UserAgent(postern.issuer);
    t.is((await signIn(back, await back.get('/account'), person.email)).page, 'login');
    const enabled = await agent.press(disabled, 'Let them in again');
    t.regex(enabled.html, /They can sign in again/);
    t.is((await signIn(back, await back.get('/account'), person.email)).page, 'account');
    const events = await eventsOf(person.id);
    for (const type of ['account.disabled', 'account.enabled'])
      t.is(events.find((event) => event.type === type)?.details['by'], operator.id);
    t.is(events.find(({ type }) => type === 'session.started')?.details['by'], undefined);
    t.regex(
      (await agent.get(`/admin/people/${person.id}`)).html,
      new RegExp(`By <bdi class="value">${operator.email}`),
    );
  },
);

test.serial('an operator signs somebody out everywhere', async (t) => {
  const person = await somebody();
  const theirs = new UserAgent(postern.issuer);
  await signIn(theirs, await theirs.get('/account'), person.email);
  const { agent, page } = await atDesk(postern, `/admin/people/${person.id}`);
  t.regex((await agent.press(page, 'Sign them out everywhere')).html, /They are signed out everywhere[\s\S]*Nowhere/);
  t.is((await theirs.get('/account')).page, 'login');
});

test.serial('an operator corrects what is known of somebody, and makes them an operator', async (t) => {
  const person = await somebody();
  const theirs = new UserAgent(postern.issuer);
  await signIn(theirs, await theirs.get('/account'), person.email);
  const { agent, page, person: operator } = await atDesk(postern, `/admin/people/${person.id}/edit`);
  const fields = { name: 'Ada King', email: `king-${person.email}` };
  const wrong = await agent.press(page, 'Save', { ...fields, email: operator.email });
  t.is(wrong.status, 400);
  t.regex(wrong.html, /role="alert"[\s\S]*belongs to somebody already[\s\S]*value="Ada King"/);
  const saved = await agent.press(wrong, 'Save', { ...fields, verified: 'yes' });
  t.regex(saved.html, /It is changed[\s\S]*Ada King[\s\S]*Not confirmed yet/);
  t.is((await theirs.get('/account')).page, 'account', 'they stay signed in');
  const again = await agent.get(page.url);
  await agent.press(again, 'Save', { ...fields, verified: 'yes', admin: 'yes' });
  t.like(await postern.domain.accounts.get(person.id), { ...fields, emailVerified: true, admin: true });
  t.is((await theirs.get('/account')).page, 'login', 'other rules hold for an operator');
  const before = (await eventsOf(person.id)).length;
  await agent.press(again, 'Save', { ...fields, verified: 'yes', admin: 'yes' });
  t.is((await eventsOf(person.id)).length, before, 'nothing changed is nothing that happened');
  const own = await agent.get(`/admin/people/${operator.id}/edit`);
  t.notRegex(own.html, /name="admin"/);
  await agent.press(own, 'Save', { name: 'Me', email: operator.email });
  t.like(await postern.domain.accounts.get(operator.id), { name: 'Me', admin: true });
});

test.serial('who has a name keeps one: an emptied field is refused, and not told as done', async (t) => {
  const { id, email } = await somebody();
  const { agent, page } = await atDesk(postern, `/admin/people/${id}/edit`);
  for (const name of ['', '   ']) {
    const emptied = await agent.press(page, 'Save', { name, email });
    t.is(emptied.status, 400);
    t.regex(emptied.html, /This name cannot be used[\s\S]*aria-invalid/);
  }
  t.is((await postern.domain.accounts.get(id))?.name, 'Ada Lovelace');
  const nameless = await postern.domain.accounts.add({ email: `nameless-${email}` });
  const theirs = await agent.get(`/admin/people/${nameless.id}/edit`);
  t.regex((await agent.press(theirs, 'Save', { name: '', email: nameless.email })).html, /It is changed/);
});

test.serial('a form that was open while somebody else changed the person undoes nothing of it', async (t) => {
  const { accounts } = postern.domain;
  const { id } = await somebody();
  await accounts.update(id, { admin: true });
  const { email } = (await accounts.get(id))!;
  const { agent, page } = await atDesk(postern, `/admin/people/${id}/edit`);
  const open = { name: 'Ada King', email, admin: 'yes' };
  await accounts.update(id, { admin: false, email: `moved-${email}`, emailVerified: true });
  const saved = await agent.press(page, 'Save', open);
  t.regex(saved.html, /It is changed/);
  const now = { name: 'Ada King', email: `moved-${email}`, emailVerified: true, admin: false };
  t.like(await accounts.get(id), now);

  const twice = await agent.press(page, 'Save', { ...open, name: 'Ada Byron' });
  t.is(twice.status, 400);
  t.regex(twice.html, /Somebody else changed[\s\S]*value="Ada Byron"[\s\S]*value="moved-/);
  t.like(await accounts.get(id), now);
  await agent.press(twice, 'Save', { name: 'Ada Byron', email: `moved-${email}`, verified: 'yes' });
  t.like(await accounts.get(id), { ...now, name: 'Ada Byron' });
  t.regex((await agent.press(page, 'Save', { ...open, name: 'Ada Byron' })).html, /It is changed/, 'a second click');
});

test.serial('an address is confirmed, and not whichever somebody has by then', async (t) => {
  const { id, email } = await somebody();
  const { agent, page } = await atDesk(postern, `/admin/people/${id}/edit`);
  await postern.domain.accounts.update(id, { email: `moved-${email}` });
  await agent.press(page, 'Save', { name: 'Ada Lovelace', email, verified: 'yes' });
  t.like(await postern.domain.accounts.get(id), { email: `moved-${email}`, emailVerified: false });
});

test.serial('somebody is found by a part of their name or address, however it is written', async (t) => {
  const server = await startPostern();
  t.teardown(() => server.close());
  const NAMES = {
    ann: 'Straße',
    anna: 'Zo\u0308e Ⅷ',
    anne: undefined,
    bea: 'Bea_100%',
    Ännchen: 'ANN 你好',
    'a%': 'O’Neill',
  };
  for (const [address, name] of Object.entries(NAMES))
    await server.domain.accounts.add({ email: `${address}@find.example`, name });
  const { agent, page } = await atDesk(server, '/admin/people');
  const find = async (who: string) => {
    const answer = await agent.press(page, 'Find', { who });
    const listed = [...answer.html.matchAll(/<bdi>([^<]*)@find\.example<\/bdi><\/span>/g)].map(([, name]) => name);
    return [answer.status, answer.page, ...(answer.page === 'admin-people' && answer.status === 200 ? listed : [])];
  };
  t.deepEqual(await find('AN'), [200, 'admin-people', 'ann', 'anna', 'Ännchen', 'anne']);
  t.deepEqual(await find('ANN@find.example'), [200, 'admin-person'], 'the very address is nobody else');
  t.deepEqual(await find('NN'), [200, 'admin-people', 'ann', 'anna', 'Ännchen', 'anne']);
  t.deepEqual(await find('zöe viii'), [200, 'admin-person']);
  t.deepEqual(await find(' STRAßE '), [200, 'admin-person']);
  t.deepEqual(await find('你'), [200, 'admin-person']);
  t.deepEqual(await find('%'), [200, 'admin-people', 'a%', 'bea']);
  t.deepEqual(await find('_'), [200, 'admin-person']);
  t.deepEqual(await find('find.EXAMPLE'), [200, 'admin-people', 'a%', 'ann', 'anna', 'Ännchen', 'anne', 'bea']);
  t.deepEqual(await find((await server.domain.accounts.byEmail('bea@find.example'))!.id), [200, 'admin-person']);
  for (const nobody of ['zoe', 'ann bea', '.*', '\uffff', '\ud800'])
    t.deepEqual(await find(nobody), [404, 'admin-people'], nobody);
  // Ids are drawn by chance and may hold any of these letters.
  for (const url of agent.visited.filter((each) => each.includes('/admin/people')))
    t.regex(url, /^[^?]*\/admin\/people(\/usr_[\w-]+|\?q=[\w-]+)?$/, 'nobody of them stands in a URL');
  const sought = agent.visited.findLast((each) => each.includes('?q='))!;
  const read = Buffer.from(new URL(sought).searchParams.get('q')!, 'base64url').toString('latin1');
  t.notRegex(read, /ann|bea|zoe/i);
});

test.serial(
  'what was found is at an address that can be reloaded and come back to, by whoever looked for it',
  async (t) => {
    const { email, id } = await somebody();
    for (const name of ['Ada King', 'Ada Byron'])
      await postern.domain.accounts.add({ email: `${name[4]}-${email}`, name });
    const { agent, page } = await atDesk(postern, '/admin/people');
    const found = await agent.press(page, 'Find', { who: `-${email}` });
    t.is(found.html.split('<li>').length - 1, 2);
    const again = await agent.get(found.url);
    t.is(again.html.split('<li>').length - 1, 2);
    t.regex(again.html, /Ada King/);
    t.regex(again.html, new RegExp(`name="who"[^>]* value="-${email}"`));
    const alone = await agent.press(page, 'Find', { who: email.slice(1) });
    t.is(alone.page, 'admin-people');
    const one = await agent.press(page, 'Find', { who: id });
    t.is(new URL(one.url).pathname + new URL(one.url).search, `/admin/people/${id}`);
    const nobody = await agent.press(page, 'Find', { who: 'nobody at all' });
    t.is(nobody.status, 404);
    t.is((await agent.get(nobody.url)).status, 404);
    const other = await atDesk(postern, new URL(found.url).pathname + new URL(found.url).search);
    for (const shown of [other.page, await agent.get('/admin/people?q=x'), await agent.get('/admin/people?q=x&q=y')]) {
      t.is(shown.status, 200);
      t.regex(shown.html, /name="who"[^>]* value=""/, 'it is nothing that was looked for here');
    }
  },
);

test.serial('more are found than a page holds: each is on one, and what is looked for stays in the form', async (t) => {
  const server = await startPostern();
  t.teardown(() => server.close());
  for (let n = 0; n < 120; n++)
    await server.domain.accounts.add({ email: `n${n}@example.com`, name: n % 2 ? 'Ödön' : 'Eva' });
  const { agent, page } = await atDesk(server, '/admin/people');
  const seen: string[] = [];
  const sizes: number[] = [];
  let at = await agent.press(page, 'Find', { who: 'ödö' });
  for (;;) {
    const ids = [...at.html.matchAll(/href="\/admin\/people\/(usr_[^"]+)"/g)].map(([, id]) => id!);
    seen.push(...ids);
    sizes.push(ids.length);
    t.regex(at.html, /name="who"[^>]* value="ödö"/);
    const next = /rel="next" href="([^"]+)"/.exec(at.html)?.[1];
    if (!next) break;
    at = await agent.get(next.replaceAll('&amp;', '&'));
  }
  t.deepEqual(sizes, [50, 10]);
  t.is(new Set(seen).size, 60);
  const all = /<a href="([^"]+)">All people</.exec(at.html)?.[1];
  t.is((await agent.get(all!)).page, 'admin-people');
});

test.serial(
  'an operator removes somebody after being asked, of two clicks the second gets the same answer',
  async (t) => {
    const person = await somebody();
    const { agent } = await atDesk(postern);
    const asked = await agent.get(`/admin/people/${person.id}/remove`);
    t.is(asked.page, 'admin-remove');
    t.regex(asked.html, new RegExp(person.email));
    for (const { page, html } of await Promise.all([agent.press(asked, 'Remove'), agent.press(asked, 'Remove')])) {
      t.is(page, 'admin-people');
      t.regex(html, /The person is removed/);
    }
    t.is(await postern.domain.accounts.get(person.id), undefined);
    for (const path of [`/admin/people/${person.id}`, `/admin/people/${person.id}/remove`, '/admin/people/x@y.example'])
      t.is((await agent.get(path)).status, 404);
  },
);

test.serial('no operator locks themself out here, whatever they send', async (t) => {
  const { agent, page, person } = await atDesk(postern, '/admin/people');
  const own = await agent.press(page, 'Find', { who: person.email });
  t.notRegex(own.html, /value="(disable|reset-factors|sign-out)"/);
  const removal = await agent.get(`/admin/people/${person.id}/remove`);
  t.notRegex(removal.html, /value="remove"/);
  const csrf = /name="csrf" value="([^"]+)"/.exec(removal.html)?.[1] ?? '';
  const answer = await agent.post(removal.url, new URLSearchParams({ csrf, decision: 'remove' }));
  t.is(answer.status, 400);
  t.regex(answer.html, /lock yourself out/);
  t.false((await postern.domain.accounts.get(person.id))?.disabled);
});

test.serial('without a mail server an invitation is a link that is shown once, to both of two clicks', async (t) => {
  const { agent, page } = await atDesk(postern, '/admin/people/new');
  const wrong = await agent.press(page, 'Invite', {
    email: 'nobody',
    name: 'Ada & "Co" <b>',
    language: 'de',
    admin: 'yes',
  });
  t.is(wrong.status, 400);
  t.regex(
    wrong.html,
    /role="alert"[\s\S]*value="nobody"[\s\S]*value="Ada &amp; &quot;Co&quot; &lt;b&gt;"[\s\S]*value="de"[^>]* selected[\s\S]*checked/,
  );
  const fields = { email: 'invited@example.com', name: 'Ida', language: 'en' };
  const [first, second] = await Promise.all([agent.press(page, 'Invite', fields), agent.press(page, 'Invite', fields)]);
  t.is(first.page, 'admin-once');
  const linkOf = ({ html }: Answer) => /<textarea[^>]*>([^<]*)/.exec(html)?.[1]?.replaceAll('&amp;', '&') ?? '';
  t.is(linkOf(first), linkOf(second));
  const theirs = new UserAgent(postern.issuer);
  const join = await theirs.get(linkOf(first));
  t.is(join.page, 'join');
  t.is((await theirs.submit(join, { name: 'Ida', password: 'a bicycle made of fog' })).page, 'done');
  const invited = await postern.domain.accounts.byEmail('invited@example.com');
  t.false(invited?.admin);
  t.is((await eventsOf(invited!.id)).filter(({ type }) => type === 'account.invited').length, 1);
  t.regex((await agent.press(page, 'Invite', { ...fields, name: '' })).html, /belongs to somebody already/);
});

test.serial('with a mail server it is mailed, and can be sent again', async (t) => {
  const mail = await startMailServer();
  const server = await startPostern({ env: { POSTERN_SMTP_URL: mail.url } });
  t.teardown(async () => {
    await server.close();
    await mail.close();
  });
  const { agent, page } = await atDesk(server, '/admin/people/new');
  const sent = await agent.press(page, 'Invite', { email: 'ida@example.com', name: '', language: 'de', admin: 'yes' });
  t.is(sent.page, 'admin-person');
  t.regex(sent.html, /The invitation is on its way/);
  t.notRegex(sent.html, /token=/);
  t.true((await server.domain.accounts.byEmail('ida@example.com'))?.admin);
  t.regex((await agent.press(sent, 'Invite again')).html, /The invitation is on its way/);
});

test.serial('a listing of 120 people pages through, each exactly once', async (t) => {
  const server = await startPostern();
  t.teardown(() => server.close());
  for (let n = 0; n < 119; n++) await server.domain.accounts.add({ email: `n${n}@example.com` });
  const { agent, page } = await atDesk(server, '/admin/people');
  const seen: string[] = [];
  let pages = 0;
  for (let at: Answer | undefined = page; at; pages++) {
    seen.push(...[...at.html.matchAll(/href="\/admin\/people\/(usr_[^"]+)"/g)].map(([, id]) => id!));
    const next: string | undefined = /rel="next" href="([^"]+)"/.exec(at.html)?.[1];
    at = next === undefined ? undefined : await agent.get(next.replaceAll('&amp;', '&'));
  }
  t.is(pages, 3);
  t.is(seen.length, 120);
  t.is(new Set(seen).size, 120);
});

test.serial('in the very second in which an hour is over they sign in again, once', async (t) => {
  stop();
  const { agent } = await atDesk(postern);
  pass(hours(1) - (Date.now() % 1000) + 500);
  t.is((await agent.get('/admin')).page, 'login');
});
