import test from 'ava';
import * as oidc from 'openid-client';
import { newTotpSecret } from '../../src/factors/index.ts';
import { minutes } from '../../src/lib/index.ts';
import { AuthenticatorApp } from '../support/authenticator-app.ts';
import { authorize, signIn } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { copyOf, keepSignIn, openedOf, signInOften } from '../support/kept-sign-ins.ts';
import { startMailServer } from '../support/mail-server.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { startDatabaseServer } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';
const SAFARI =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1';
const OFFLINE = { scope: 'openid profile offline_access', prompt: 'consent' };

let postern: Postern;
let mail: Awaited<ReturnType<typeof startMailServer>>;
test.before(async () => {
  mail = await startMailServer();
  postern = await startPostern({ env: { POSTERN_SMTP_URL: mail.url } });
});
test.after.always(async () => {
  await postern?.close();
  await mail?.close();
});

let people = 0;
const somebody = () => addPerson(postern, `own${++people}@example.com`);

/** Somebody on the page of their account, in a browser of their own. */
async function atHome(email: string, path = '/account', userAgent = FIREFOX) {
  const agent = new UserAgent(postern.issuer, { 'user-agent': userAgent });
  const page = await signIn(agent, await agent.get(path), email);
  return { agent, page };
}

const refused = (token: string | undefined, config: oidc.Configuration) =>
  oidc.refreshTokenGrant(config, token!).then(
    () => undefined,
    (error: oidc.ResponseBodyError) => error.error,
  );

test.serial(
  'whoever is not signed in is asked to, with no word of consent, and lands on the page they wanted',
  async (t) => {
    const { email } = await somebody();
    const agent = new UserAgent(postern.issuer);
    const asked = await agent.get('/account/applications');
    t.is(asked.page, 'login');
    const page = await agent.submit(asked, { email, password: PASSWORD });
    t.is(page.page, 'account-applications');
    t.is(new URL(page.url).pathname, '/account/applications');
  },
);

test.serial('whoever would rather not sign in ends at the door', async (t) => {
  const agent = new UserAgent(postern.issuer);
  const asked = await agent.get('/account');
  t.is((await agent.press(asked, 'Cancel')).page, 'home');
});

test.serial(
  'a sign-in for an application opens the account too, and one for the account the application',
  async (t) => {
    const { email } = await somebody();
    const client = await addClient(postern, { firstParty: true });
    const { agent } = await authorize(postern, client, {}, undefined, email);
    t.is((await agent.get('/account')).page, 'account');
    const other = await atHome(email);
    t.truthy(await authorize(postern, client, { prompt: 'none' }, other.agent));
  },
);

test.serial('what is sensitive asks for a fresh proof ten minutes after the last; what is not does not', async (t) => {
  const { email } = await somebody();
  const { agent } = await atHome(email);
  t.is((await agent.get('/account/password')).page, 'account-password');
  pass(minutes(11));
  t.is((await agent.get('/account/profile')).page, 'account-profile');
  for (const page of ['password', 'email', 'factors', 'totp', 'passkey', 'recovery-codes', 'data', 'export'])
    t.is((await agent.get(`/account/${page}`)).page, 'login', page);
  const again = await signIn(agent, await agent.get('/account/password'), email);
  t.is(again.page, 'account-password');
});

test.serial('a form that was shown before the proof grew old changes nothing', async (t) => {
  const { email } = await somebody();
  const { agent, page } = await atHome(email, '/account/data');
  pass(minutes(11));
  t.is((await agent.press(page, 'Delete my account', { email })).page, 'login');
  t.truthy(await postern.domain.accounts.byEmail(email));
});

test.serial('a person changes their name, and applications are told the new one', async (t) => {
  const { email } = await somebody();
  const client = await addClient(postern, { firstParty: true });
  const { agent, page } = await atHome(email, '/account/profile');
  const saved = await agent.press(page, 'Save', { name: '  Augusta Ada King ' });
  t.is(saved.page, 'account-profile');
  t.regex(saved.html, /role="status">Your name is saved/);
  const { config, tokens } = await authorize(postern, client, {}, agent);
  t.is((await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims()!.sub)).name, 'Augusta Ada King');
  for (const name of ['', 'x'.repeat(201), 'a\u202Eb', 'a\u200D\u200Cb', 'Ada\u200D', '\u200CAda']) {
    const wrong = await agent.press(saved, 'Save', { name });
    t.is(wrong.status, 400);
    t.regex(wrong.html, /role="alert"/);
    t.true(wrong.html.includes(`name="name" type="text" value="${name}"`), 'what was typed is still there');
  }
  for (const name of ['بهار نیک\u200Cزاد', 'ශ්\u200Dරී', 'Ada 👩\u200D💻']) {
    await agent.press(saved, 'Save', { name });
    t.is((await postern.domain.accounts.byEmail(email))?.name, name);
  }
});

test.serial(
  'a new password ends every other sign-in and what applications hold, but not the browser it was chosen in',
  async (t) => {
    const { email } = await somebody();
    const client = await addClient(postern);
    const away = await authorize(postern, client, OFFLINE, new UserAgent(postern.issuer), email);
    const { agent, page } = await atHome(email, '/account/password');
    const short = await agent.press(page, 'Save', { password: 'short' });
    t.is(short.status, 400);
    t.regex(short.html, /too short/);
    const saved = await agent.press(short, 'Save', { password: 'a bicycle made of fog' });
    t.is(saved.page, 'account');
    t.is((await agent.get('/account')).page, 'account');
    t.is((await away.agent.get('/account')).page, 'login');
    t.is(await refused(away.tokens.refresh_token, away.config), 'invalid_grant');
    const back = new UserAgent(postern.issuer);
    const old = await signIn(back, await back.get('/account'), email);
    t.is(old.status, 400);
    t.is((await signIn(back, old, email, 'a bicycle made of fog')).page, 'account');
  },
);

test.serial(
  'a password that was still being made when its session ended is nobody’s: the one they were given since stays',
  async (t) => {
    const { id, email } = await somebody();
    const { agent, page } = await atHome(email, '/account/password');
    const { store, domain } = postern;
    const { commit } = store;
    t.teardown(() => Object.assign(store, { commit }));
    store.commit = async (changes) => {
      const isTheirs = changes.some((each) => 'put' in each && each.put === 'accounts' && each.id === id);
      if (isTheirs) {
        store.commit = commit;
        await domain.accounts.setPassword(id, 'what the operator gave them');
      }
      return commit.call(store, changes);
    };
    const late = await agent.press(page, 'Save', { password: 'what the thief would have' });
    t.is(late.page, 'login');
    t.is(await domain.accounts.authenticate(email, 'what the thief would have'), undefined);
    t.is((await domain.accounts.authenticate(email, 'what the operator gave them'))?.id, id);
  },
);

test.serial(
  'a person sees where they are signed in, and ends a sign-in they do not know: it is out, and so are its applications',
  async (t) => {
    const { email } = await somebody();
    const client = await addClient(postern, { name: 'Fish Shop' });
    const phone = new UserAgent(postern.issuer, { 'user-agent': SAFARI });
    const bought = await authorize(postern, client, OFFLINE, phone, email);
    const { agent, page } = await atHome(email, '/account/sessions');
    const [, here = '', there = ''] = page.html.split('<li>');
    t.regex(here, /Firefox on Linux[\s\S]*127\.0\.0\.1[\s\S]*This browser/);
    t.notRegex(here, /value="end"/);
    t.regex(there, /Safari on iPhone[\s\S]*value="end"/);
    const ended = await agent.press(page, 'Sign out', {}, 'Safari on iPhone');
    t.notRegex(ended.html, /Safari/);
    t.is((await phone.get('/account')).page, 'login');
    t.is(await refused(bought.tokens.refresh_token, bought.config), 'invalid_grant');
    await t.throwsAsync(oidc.fetchUserInfo(bought.config, bought.tokens.access_token, oidc.skipSubjectCheck));
    t.is((await agent.get('/account')).page, 'account');
  },
);

test.serial('a person signs out everywhere else at once', async (t) => {
  const { email } = await somebody();
  const others = await Promise.all([1, 2, 3].map(() => atHome(email)));
  const { agent, page } = await atHome(email, '/account/sessions');
  const left = await agent.press(page, 'Sign out everywhere else');
  t.is(left.html.split('<li>').length - 1, 1);
  for (const other of others) t.is((await other.agent.get('/account')).page, 'login');
  t.is((await agent.get('/account')).page, 'account');
});

test.serial('… from many places: what they have is not read anew for each', async (t) => {
  const { id, email } = await somebody();
  const client = await addClient(postern, { firstParty: true });
  const kept = await keepSignIn(postern, client, OFFLINE.scope, email, { prompt: 'consent' });
  const opened = openedOf(postern);
  const copies = Array.from({ length: 60 }, () => Object.values(copyOf(opened, kept).rows));
  await postern.store.commit(copies.flat());
  const { agent, page } = await atHome(email, '/account/sessions');
  const { find } = postern.store;
  const read: string[] = [];
  Object.assign(postern.store, {
    find(...asked: unknown[]) {
      if (asked[1] === 'accountId') read.push(String(asked[0]));
      return Reflect.apply(find, postern.store, asked);
    },
  });
  t.teardown(() => Object.assign(postern.store, { find }));
  await agent.press(page, 'Sign out everywhere else');
  Object.assign(postern.store, { find });
  t.is(await postern.domain.signIns.count(id), 1);
  t.true(read.length < 20, `${read.length} times`);
  const ended = (await postern.domain.audit.allForAccount(id)).filter(({ type }) => type === 'session.ended');
  t.true(ended.length > 60);
});

test.serial('who is signed in at very many places sees the last used first, page by page', async (t) => {
  const { email } = await somebody();
  const ids = await signInOften(postern, await addClient(postern, { firstParty: true }), email, 120);
  const { agent, page } = await atHome(email, '/account/sessions');
  t.regex((await agent.get('/account')).html, /122 places/);
  const idsOn = ({ html }: Answer) => [...html.matchAll(/name="session" value="([^"]+)"/g)].map(([, id]) => id);
  const nextOf = ({ html }: Answer) => /rel="next" href="([^"]+)"/.exec(html)?.[1];
  t.regex(page.html.split('<li>')[1]!, /This browser/);
  t.deepEqual(idsOn(page).slice(1), ids.slice(0, 49));
  const second = await agent.get(nextOf(page)!);
  t.deepEqual(idsOn(second), ids.slice(49, 99));
  t.notRegex(second.html, /This browser/);
  const third = await agent.get(nextOf(second)!);
  t.deepEqual(idsOn(third), ids.slice(99));
  t.is(nextOf(third), undefined);

  const ended = await agent.press(second, 'Sign out', {}, ids[60]);
  t.regex(ended.html, /role="status"/);
  t.deepEqual(idsOn(ended), [...ids.slice(49, 60), ...ids.slice(61, 100)], 'the page they were on, as it is now');
  t.deepEqual(idsOn(await agent.get('/account/sessions?after=nonsense')), []);
  const left = await agent.press(third, 'Sign out everywhere else');
  t.is(left.html.split('<li>').length - 1, 1);
  t.regex(left.html, /This browser/);
});

test.serial("nobody ends another person's sign-in, whatever they send", async (t) => {
  const [ada, eve] = [await somebody(), await somebody()];
  const hers = await atHome(ada.email, '/account/sessions');
  const id = /name="session" value="([^"]+)"/.exec(hers.page.html)?.[1] ?? '';
  const { agent, page } = await atHome(eve.email, '/account/sessions');
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
  for (const session of [id, '', 'x'.repeat(3000), '../sessions', '__proto__']) {
    const answer = await agent.post('/account/sessions', new URLSearchParams({ csrf, session, decision: 'end' }));
    t.is(answer.page, 'account-sessions', session.slice(0, 20));
  }
  t.is((await hers.agent.get('/account')).page, 'account');
});

test.serial(
  'a person sees what each application may do, and takes it back: its tokens end, and it has to ask again',
  async (t) => {
    const { email } = await somebody();
    await postern.domain.resources.add({
      uri: 'https://files.example',
      name: 'Files',
      scopes: ['files.read', 'files.write'],
    });
    const client = await addClient(postern, { name: 'Fish Shop', resources: ['https://files.example'] });
    const wants = { ...OFFLINE, scope: 'openid profile offline_access files.read', resource: 'https://files.example' };
    const bought = await authorize(postern, client, wants, new UserAgent(postern.issuer), email);
    const page = await bought.agent.get('/account/applications');
    t.regex(page.html, /Fish Shop[\s\S]*Know who you are[\s\S]*Files[\s\S]*files\.read/);
    t.notRegex(page.html, /files\.write/);
    const without = await bought.agent.press(page, 'Take back', {}, 'Fish Shop');
    t.regex(without.html, /not allowed any application/);
    t.is(await refused(bought.tokens.refresh_token, bought.config), 'invalid_grant');
    const again = await bought.agent.get(bought.asked.url.href.replace('prompt=consent', 'max_age=9999'));
    t.is(again.page, 'consent');
  },
);

test.serial('when an application last used what it was allowed is told', async (t) => {
  const { email } = await somebody();
  const client = await addClient(postern, { name: 'Fish Shop' });
  const { agent, config, tokens } = await authorize(postern, client, OFFLINE, new UserAgent(postern.issuer), email);
  const { sub } = tokens.claims()!;
  const before = (await postern.domain.consents.find(sub, client.id))?.lastUsedAt ?? 0;
  pass(minutes(90));
  await oidc.refreshTokenGrant(config, tokens.refresh_token!);
  await until(async () => ((await postern.domain.consents.find(sub, client.id))?.lastUsedAt ?? 0) > before);
  t.regex((await agent.get('/account/applications')).html, /Last used/);
});

test.serial(
  'a person adds an authenticator app, keeps the recovery codes, and is asked for a code from then on',
  async (t) => {
    const { email } = await somebody();
    const { agent, page } = await atHome(email, '/account/totp');
    const app = AuthenticatorApp.scan(page);
    const wrong = await agent.press(page, 'Continue', { code: '000000' });
    t.is(wrong.status, 400);
    t.is(AuthenticatorApp.scan(wrong).secret, app.secret);
    const codes = await agent.press(wrong, 'Continue', { code: app.fresh() });
    t.is(codes.page, 'recovery-codes');
    const kept = await agent.press(codes, 'I have kept them');
    t.is(kept.page, 'account-factors');
    t.regex(kept.html, /Authenticator app[\s\S]*10 are left/);
    t.is(
      (await agent.get('/account/recovery-codes')).page,
      'account-factors',
      'codes that are kept are not shown again',
    );

    const other = await atHome(email);
    t.is(other.page.page, 'second-factor');
    t.is((await other.agent.submit(other.page, { code: app.fresh() })).page, 'account');

    const renamed = await agent.press(kept, 'Save', { name: 'Old phone' });
    t.regex(renamed.html, /Old phone/);
    const tooLong = await agent.press(renamed, 'Save', { name: 'x'.repeat(61) });
    t.regex(tooLong.html, /role="alert"[\s\S]*<details class="other" open>[\s\S]*value="x{61}"/);
    const removed = await agent.press(renamed, 'Remove');
    t.notRegex(removed.html, /Old phone/);
    t.is((await atHome(email)).page.page, 'account');
  },
);

test.serial(
  'with the account open in one browser, a second factor added in another is asked for where it matters',
  async (t) => {
    const person = await somebody();
    const { agent } = await atHome(person.email);
    const { factors, challenges } = postern.domain;
    const binding = { purpose: 'enrol-totp', boundTo: 'test', accountId: person.id } as const;
    await factors.addTotp(person, newTotpSecret(), 0, undefined, challenges.spend(binding, challenges.issue(binding)));
    t.is((await agent.get('/account')).page, 'second-factor');
  },
);

test.serial('of several clicks on a form of the account all lead where the first one does', async (t) => {
  const { email } = await somebody();
  const { agent, page } = await atHome(email, '/account/totp');
  const code = AuthenticatorApp.scan(page).code();
  const clicks = (from: typeof page, button: string, fields: Record<string, string>) =>
    Promise.all(Array.from({ length: 5 }, () => agent.press(from, button, fields)));
  for (const { page: shown } of await clicks(page, 'Continue', { code })) t.is(shown, 'recovery-codes');
  const data = await agent.get('/account/data');
  for (const { page: shown } of await clicks(data, 'Delete my account', { email })) t.is(shown, 'account-deleted');
  pass(minutes(1));
  t.is((await agent.get('/account')).page, 'login');
});

test.serial(
  'of two clicks that delete an account, each through another process, both lead to the page that says so',
  async (t) => {
    const databases = await startDatabaseServer();
    t.teardown(() => databases.remove());
    const { url } = await databases.create();
    const first = await startPostern({ env: { POSTERN_DATABASE_URL: url } });
    t.teardown(() => first.close());
    const env = { POSTERN_DATABASE_URL: url, POSTERN_ISSUER: first.issuer, POSTERN_KEYS: `${first.folder}/keys` };
    const second = await startPostern({ env });
    t.teardown(() => second.close());
    const formOf = async (email: string) => {
      await addPerson(first, email);
      const agent = new UserAgent(first.issuer);
      const page = await signIn(agent, await agent.get('/account/data'), email);
      return (through: Postern, fields = { email }) => {
        agent.through = through.url;
        return agent.press(page, 'Delete my account', fields);
      };
    };
    const late = await formOf('late@example.com');
    t.is((await late(first)).page, 'account-deleted');
    t.is((await late(second)).page, 'account-deleted');
    t.is((await late(second, { email: 'Late@example.com' })).page, 'login', 'another form');
    for (let trial = 0; trial < 5; trial += 1) {
      const together = await formOf(`together${trial}@example.com`);
      for (const { page } of await Promise.all([together(first), together(second)])) t.is(page, 'account-deleted');
    }
  },
);

test.serial('a factor that two tabs, or two clicks, take away is told to be gone to both', async (t) => {
  const { email } = await somebody();
  const { agent, page } = await atHome(email, '/account/totp');
  await agent.press(page, 'Continue', { code: AuthenticatorApp.scan(page).code() });
  const factors = await agent.get('/account/factors');
  for (const answer of [await agent.press(factors, 'Remove'), await agent.press(factors, 'Remove')]) {
    t.is(answer.status, 200);
    t.regex(answer.html, /role="status">It is removed/);
  }
});

test.serial('codes that another tab has replaced are not called good: others are shown', async (t) => {
  const person = await somebody();
  const { agent, page } = await atHome(person.email, '/account/totp');
  const first = await agent.press(page, 'Continue', { code: AuthenticatorApp.scan(page).code() });
  t.is(first.page, 'recovery-codes');
  const second = await agent.get('/account/recovery-codes');
  const third = await agent.press(first, 'I have kept them');
  t.is(third.page, 'recovery-codes');
  t.false(await postern.domain.recoveryCodes.areKept(person.id));
  t.regex((await agent.press(third, 'I have kept them')).html, /count from now on/);
  t.is((await agent.press(second, 'I have kept them')).page, 'account-factors', 'those of the other tab are kept');
  t.true(await postern.domain.recoveryCodes.areKept(person.id));
});

test.serial(
  'what happened to an account is told: the sign-in with its browser and address, and each change',
  async (t) => {
    const { email } = await somebody();
    const { agent, page } = await atHome(email, '/account/profile');
    await agent.press(page, 'Save', { name: 'Ada' });
    const { html } = await agent.get('/account/events');
    const told = [...html.matchAll(/<li><p>([^<]+)</g)].map(([, text]) => text);
    t.deepEqual(told, ['The name was changed', 'Signed in', 'The account was made']);
    t.regex(html, /Firefox<[\s\S]*Linux<[\s\S]*127\.0\.0\.1</);
  },
);

test.serial('a person takes their data along: all of it, and nothing that proves to be them', async (t) => {
  const { id, email } = await somebody();
  const client = await addClient(postern, { name: 'Fish Shop' });
  const { agent } = await authorize(postern, client, OFFLINE, new UserAgent(postern.issuer), email);
  const city = { id: 'city', issuer: 'https://id.city.example' };
  await postern.domain.identities.link(id, { upstream: city, subject: 'subject-17', label: 'Ada of Riverside' });
  for (let i = 0; i < 1_100; i += 100)
    await postern.store.commit(
      Array.from({ length: 100 }, () => postern.domain.audit.record('consent.given', { accountId: id })),
    );
  const answer = await agent.get('/account/export');
  t.regex(answer.headers.get('content-disposition') ?? '', /attachment; filename="account\.json"/);
  const data = JSON.parse(answer.html);
  t.is(data.account.email, email);
  t.is(data.applications[0].clientId, client.id);
  t.is(data.sessions.length, 1);
  t.like(data.linked, [{ upstream: 'city', subject: 'subject-17', label: 'Ada of Riverside' }]);
  t.true(data.events.length > 1_100);
  t.notRegex(answer.html, /argon2|passwordHash|sealed|epoch/);
});

test.serial('a person deletes their account: only with its address typed, and then everything ends', async (t) => {
  const { email } = await somebody();
  const client = await addClient(postern);
  const { agent, config, tokens } = await authorize(postern, client, OFFLINE, new UserAgent(postern.issuer), email);
  const page = await agent.get('/account/data');
  const other = await agent.press(page, 'Delete my account', { email: 'somebody@else.example' });
  t.is(other.status, 400);
  t.truthy(await postern.domain.accounts.byEmail(email));
  const gone = await agent.press(other, 'Delete my account', { email: email.toUpperCase() });
  t.is(gone.page, 'account-deleted');
  t.is(await postern.domain.accounts.byEmail(email), undefined);
  t.is(await refused(tokens.refresh_token, config), 'invalid_grant');
  t.is((await agent.get('/account')).page, 'login');
});

test.serial('another e-mail address counts once its mailbox says so, and the old one is told', async (t) => {
  const { email } = await somebody();
  const { agent, page } = await atHome(email, '/account/email');
  t.is((await agent.press(page, 'Send the link', { email: 'no address' })).status, 400);
  const to = `new-${email}`;
  const asked = await agent.press(page, 'Send the link', { email: to });
  t.is(asked.page, 'account-profile');
  t.regex(asked.html, new RegExp(email));
  const { link } = await mail.next(to);
  t.regex((await mail.next(email)).subject ?? '', /about to change/);
  const confirm = await agent.get(link!);
  t.is((await agent.submit(confirm, {})).status, 200);
  t.is((await atHome(to)).page.page, 'account');
});

test.serial('a form of another session, of another browser, or of nobody is refused', async (t) => {
  const { email } = await somebody();
  const mine = await atHome(email, '/account/profile');
  const other = await atHome(email);
  const elsewhere = await other.agent.press(mine.page, 'Save', { name: 'Eve' });
  t.is(elsewhere.status, 403);
  t.regex(elsewhere.html, /href="\/account\/profile">Try again</);
  t.is((await mine.agent.press(mine.page, 'Save', { name: 'Eve', csrf: 'x' })).status, 403);
  t.is((await mine.agent.post('/account/profile', new URLSearchParams({ name: 'Eve' }))).status, 403);
  const stranger = new UserAgent(postern.issuer);
  t.is((await stranger.press(mine.page, 'Save', { name: 'Eve' })).page, 'login');
  t.is((await postern.domain.accounts.byEmail(email))?.name, 'Ada Lovelace');
});

test.serial('an unknown button, an unknown page and a foreign state lead nowhere', async (t) => {
  const { email } = await somebody();
  const { agent, page } = await atHome(email, '/account/profile');
  for (const value of ['', 'remove', 'toString', '__proto__', 'constructor']) {
    const answer = await agent.submit(page, { name: 'Eve' }, { name: 'decision', value });
    t.is(answer.status, 200, value);
  }
  t.is((await postern.domain.accounts.byEmail(email))?.name, 'Ada Lovelace');
  t.is((await agent.get('/account/nothing')).status, 404);
  for (const state of ['//evil.example', 'https://evil.example', '../logout', 'nothing', ''])
    t.true(
      ['account', 'home'].includes((await agent.get(`/account/signed-in?state=${encodeURIComponent(state)}`)).page!),
    );
});
