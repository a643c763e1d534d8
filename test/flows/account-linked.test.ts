import test from 'ava';
import { signIn } from '../support/client.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { addPosternUpstream, OUTBOUND } from '../support/upstreams.ts';
import { UserAgent } from '../support/user-agent.ts';

let here: Postern;
let there: Postern;
let mail: MailServer;
test.before(async () => {
  mail = await startMailServer();
  const env = { ...OUTBOUND, POSTERN_SMTP_URL: mail.url };
  [here, there] = await Promise.all([startPostern({ env }), startPostern()]);
  await addPosternUpstream(here, there);
});
test.after.always(async () => {
  await Promise.all([here.close(), there.close()]);
  await mail.close();
});

/** Signs in at the other server, as far as the way back. */
async function visit(at: URL, email: string): Promise<URL> {
  const agent = new UserAgent(there.issuer);
  return (await signIn(agent, await agent.get(at), email)).left!;
}

async function onLinked(email: string) {
  const agent = new UserAgent(here.issuer);
  return { agent, page: await signIn(agent, await agent.get('/account/linked'), email) };
}

test('a person links an account elsewhere on the page of their own, signs in with it, and ends the link', async (t) => {
  const { email } = await addPerson(here, 'ada@here.example');
  await addPerson(there, 'ada@there.example');
  const { agent, page } = await onLinked(email);
  t.is(page.page, 'account-linked');
  const away = await agent.press(page, 'Link City of Riverside');
  const back = await agent.get(await visit(away.left!, 'ada@there.example'));
  t.is(back.page, 'account-linked');
  t.regex(back.html, /role="status">[\s\S]*is linked/);
  t.notRegex((await agent.get('/account/linked')).html, /role="status"/, 'told once');

  const other = new UserAgent(here.issuer);
  const login = await other.get('/account');
  const there2 = await other.submit(login, {}, { name: 'upstream', value: 'city' });
  t.is((await other.get(await visit(there2.left!, 'ada@there.example'))).page, 'account');

  t.is((await mail.next(email)).subject, 'An account elsewhere was linked to yours', 'whoever did it');
  const ended = await agent.press(back, 'Unlink');
  t.is((await mail.next(email)).subject, 'An account elsewhere was unlinked from yours');
  t.regex(ended.html, /It is unlinked/);
  t.notRegex(ended.html, />Unlink/);
  t.regex((await agent.get('/account/events')).html, /An account elsewhere was linked/);
});

test('an account elsewhere that somebody else has linked is refused, and so is the end of the last way in', async (t) => {
  const first = await addPerson(here, 'first@here.example');
  await addPerson(there, 'shared@there.example');
  const one = await onLinked(first.email);
  const linked = await one.agent.press(one.page, 'Link City of Riverside');
  await one.agent.get(await visit(linked.left!, 'shared@there.example'));

  const second = await addPerson(here, 'second@here.example');
  const two = await onLinked(second.email);
  const away = await two.agent.press(two.page, 'Link City of Riverside');
  const refused = await two.agent.get(await visit(away.left!, 'shared@there.example'));
  t.regex(refused.html, /role="alert"[\s\S]*somebody else/);
  t.deepEqual(await here.domain.identities.listForAccount(second.id), []);

  await there.domain.accounts.add({ email: 'new@there.example', password: PASSWORD, emailVerified: true });
  await here.domain.upstreams.update('city', { trustsEmail: true, signsUp: true });
  const newcomer = new UserAgent(here.issuer);
  const button = await newcomer.submit(await newcomer.get('/account/linked'), {}, { name: 'upstream', value: 'city' });
  const theirs = await newcomer.get(await visit(button.left!, 'new@there.example'));
  t.is(theirs.page, 'account-linked');
  const kept = await newcomer.press(theirs, 'Unlink');
  t.is(kept.status, 400);
  t.regex(kept.html, /your only way in/);
});

test('an upstream that is gone, unknown or down leads back to the page, and says so', async (t) => {
  const { email } = await addPerson(here, 'lost@here.example');
  await here.domain.upstreams.add({
    id: 'down',
    name: 'Nobody There',
    kind: 'oidc',
    issuer: 'http://127.0.0.1:9',
    clientId: 'x',
    scopes: ['openid'],
  });
  const { agent, page } = await onLinked(email);
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
  for (const upstream of ['nobody', '', '__proto__']) {
    const answer = await agent.post('/account/linked', new URLSearchParams({ csrf, upstream, decision: 'link' }));
    t.is(answer.page, 'account-linked', upstream);
    t.regex(answer.html, /role="alert"[\s\S]*no longer/, upstream);
  }
  const down = await agent.post('/account/linked', new URLSearchParams({ csrf, upstream: 'down', decision: 'link' }));
  t.regex(down.html, /role="alert"[\s\S]*Nobody There cannot be reached/);
  const foreign = await agent.post('/account/linked', new URLSearchParams({ csrf, link: 'x', decision: 'unlink' }));
  t.is(foreign.page, 'account-linked');
});
