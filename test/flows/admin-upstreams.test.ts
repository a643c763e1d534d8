import test from 'ava';
import fc from 'fast-check';
import { KIND_NAMES, kindOf } from '../../src/upstream/index.ts';
import { isMessageKey } from '../../src/words/index.ts';
import { discover, redeem, request, signIn } from '../support/client.ts';
import { hostileText } from '../support/hostile.ts';
import { atDesk } from '../support/operators.ts';
import { addClient, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { OUTBOUND, signInThere } from '../support/upstreams.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

let postern: Postern;
let there: Postern;
test.before(async () => {
  [postern, there] = await Promise.all([startPostern({ env: OUTBOUND }), startPostern()]);
});
test.after.always(() => Promise.all([postern?.close(), there?.close()]));

const SECRET = 'a-secret-of-theirs';
const CITY = {
  id: 'city',
  issuer: 'https://id.city.example',
  client_id: 'riverside',
  client_secret: SECRET,
  name: 'City of Riverside',
  scopes: 'email',
};

const inField = ({ html }: Answer, id: string) => new RegExp(`<input id="${id}"[^>]* value="([^"]*)"`).exec(html)?.[1];
const callbackIn = ({ html }: Answer) => /<textarea id="callback"[^>]*>\n?([^<]*)/.exec(html)?.[1];
const stored = async (id: string) => {
  const { upstreams } = postern.domain;
  const upstream = await upstreams.get(id);
  return upstream && { ...upstreams.providerOf(upstream), name: upstream.name };
};
const eventsOf = async (id: string) => {
  const { events } = await postern.domain.audit.search({ type: 'upstream', limit: 100 });
  return events.filter(({ details }) => details['upstream'] === id).map(({ type, details }) => ({ type, ...details }));
};

test.serial('a provider is added, changed and removed, and each event says by whom', async (t) => {
  const { agent, page, person } = await atDesk(postern);
  t.regex(page.html, /\/admin\/apis"[\s\S]*\/admin\/upstreams"[\s\S]*\/admin\/keys"/);
  t.regex((await agent.get('/admin/upstreams')).html, /There is none yet/);
  const form = await agent.get('/admin/upstreams/new?kind=oidc');
  t.is(form.page, 'admin-upstream-new');
  const added = await agent.press(form, 'Add it', { ...CITY, trust_email: 'yes' });
  t.is(added.page, 'admin-upstream');
  t.regex(added.html, new RegExp(`The provider is added[^]*${postern.issuer}/upstream/city/callback[^]*Nobody`));
  t.like(await stored('city'), {
    kind: 'oidc',
    issuer: CITY.issuer,
    clientId: 'riverside',
    clientSecret: SECRET,
    name: CITY.name,
    scopes: ['openid', 'email'],
  });
  t.like(await postern.domain.upstreams.get('city'), { trustsEmail: true, signsUp: false });
  t.regex((await agent.get('/admin/upstreams')).html, /upstreams\/city"[\s\S]*City of Riverside[\s\S]*OpenID Connect/);

  const fields = { client_id: 'riverside', name: 'Riverside', scopes: '', client_secret: '', sign_up: 'yes' };
  const saved = await agent.press(added, 'Save', fields);
  t.regex(saved.html, /It is saved/);
  t.like(await stored('city'), { clientSecret: SECRET, name: 'Riverside', scopes: ['openid', 'email', 'profile'] });
  t.like(await postern.domain.upstreams.get('city'), { trustsEmail: false, signsUp: true });
  const same = { ...fields, scopes: 'openid email profile' };
  await agent.press(saved, 'Save', same);
  await agent.press(saved, 'Save', { ...same, client_secret: ' another-one ' });
  t.is((await stored('city'))?.clientSecret, 'another-one');

  const remove = await agent.get('/admin/upstreams/city/remove');
  t.regex(remove.html, /Riverside[\s\S]*Nobody is linked/);
  t.regex((await agent.press(remove, 'Remove')).html, /The provider is removed/);
  t.is(await postern.domain.upstreams.get('city'), undefined);
  for (const path of ['', '/remove']) t.is((await agent.get(`/admin/upstreams/city${path}`)).status, 404);
  t.deepEqual(await eventsOf('city'), [
    { type: 'upstream.removed', upstream: 'city', by: person.id },
    { type: 'upstream.updated', upstream: 'city', changed: 'client_secret', by: person.id },
    { type: 'upstream.updated', upstream: 'city', changed: 'name scopes sign_up trust_email', by: person.id },
    { type: 'upstream.added', upstream: 'city', kind: 'oidc', issuer: CITY.issuer, by: person.id },
  ]);
  t.regex((await agent.get('/admin/events?type=upstream')).html, /to sign in by was changed[\s\S]*<bdi>city<\/bdi>/);
});

test.serial('each kind asks for what tells where it is, shows its callback first, and takes a free id', async (t) => {
  const { agent, page } = await atDesk(postern, '/admin/upstreams/new');
  t.is(page.page, 'admin-upstream-kind');
  for (const [kind, more] of [
    ['oidc', { issuer: 'https://id.example' }],
    ['google', {}],
    ['microsoft', { tenant: 'Riverside.example' }],
    ['facebook', {}],
    ['github', { issuer: 'https://git.example/' }],
  ] as const) {
    t.true(page.html.includes(`href="/admin/upstreams/new?kind=${kind}"`));
    const form = await agent.get(`/admin/upstreams/new?kind=${kind}`);
    t.is(inField(form, 'id'), kind);
    t.is(callbackIn(form), `${postern.issuer}/upstream/${kind}/callback`);
    for (const field of ['issuer', 'tenant']) t.is(form.html.includes(`name="${field}"`), field in more, kind);
    const terms = { client_id: 'us', name: inField(form, 'name') || 'Theirs', scopes: inField(form, 'scopes') ?? '' };
    const added = await agent.press(form, 'Add it', { id: kind, ...terms, ...more });
    t.regex(added.html, new RegExp(`The provider is added[^]*/upstream/${kind}/callback`));
    const usual = kindOf(kind);
    t.like(await stored(kind), { kind, issuer: usual?.issuerFrom(more), scopes: usual?.scopes });
    const next = await agent.get(`/admin/upstreams/new?kind=${kind}`);
    t.is(callbackIn(next), `${postern.issuer}/upstream/${kind}-2/callback`);
  }
  t.deepEqual(
    postern.domain.upstreams.list().map(({ id }) => id),
    KIND_NAMES,
  );
  t.is((await agent.get('/admin/upstreams/new?kind=constructor')).page, 'admin-upstream-kind');
  for (const id of KIND_NAMES) await postern.domain.upstreams.remove(id);
});

test('what the page asks about a kind is what the kind takes, and it has words for it', (t) => {
  for (const id of KIND_NAMES) {
    const { place, issuerFrom } = kindOf(id)!;
    const takes = (said: object) => {
      try {
        return issuerFrom(said) !== '';
      } catch {
        return false;
      }
    };
    const given = { issuer: 'https://id.example', tenant: 'example.com' };
    for (const by of ['issuer', 'tenant'] as const) t.is(takes({ [by]: given[by] }), place?.by === by, `${id} ${by}`);
    t.is(takes({}), place?.needed !== true, id);
    for (const words of ['hint', 'where', ...(place ? ['place', 'place.hint'] : [])])
      t.true(isMessageKey(`admin.kind.${id}.${words}`), `${id} ${words}`);
  }
});

test.serial('what is refused is told at the form, with all that was typed but the secret', async (t) => {
  const { agent } = await atDesk(postern);
  await postern.domain.upstreams.add({ ...CITY, id: 'taken', kind: 'oidc', clientId: 'x', scopes: ['openid'] });
  const form = await agent.get('/admin/upstreams/new?kind=oidc');
  for (const [wrong, says, field] of [
    [{ id: 'Not one!' }, /This id cannot be used/, 'id'],
    [{ id: 'new' }, /This id cannot be used/, 'id'],
    [{ id: 'taken' }, /Another provider has this id/, 'id'],
    [{ issuer: ' ' }, /Say its issuer/, 'issuer'],
    [{ issuer: 'http://id.city.example' }, /This address cannot be used[\s\S]*must be an https URL/, 'issuer'],
    [{ tenant: 'x' }, /This was refused[\s\S]*only microsoft has tenants/, undefined],
    [{ client_id: 'ä' }, /This client id cannot be used/, 'client_id'],
    [{ client_secret: 'geheim-ä' }, /This client secret cannot be used/, 'client_secret'],
    [{ name: 'x'.repeat(61) }, /This name cannot be used[\s\S]*1 to 60/, 'name'],
    [{ name: '' }, /This name cannot be used/, 'name'],
    [{ scopes: 'a"b' }, /One of the scopes/, 'scopes'],
    [{ client_secret: 'x'.repeat(5000) }, /too long/, undefined],
  ] as const) {
    const typed = { ...CITY, sign_up: 'yes', ...wrong };
    const refused = await agent.press(form, 'Add it', typed);
    t.is(refused.status, 400);
    t.is(refused.page, 'admin-upstream-new');
    t.regex(refused.html, says);
    for (const name of ['id', 'issuer', 'client_id', 'name', 'scopes'] as const)
      t.is(inField(refused, name)?.replaceAll('&quot;', '"').trim(), typed[name].trim(), name);
    t.regex(refused.html, /name="sign_up"[^>]* checked/);
    t.notRegex(refused.html, /name="trust_email"[^>]* checked/);
    t.false(refused.html.includes(typed.client_secret));
    t.regex(refused.html, /Type it once more/);
    if (field) t.regex(refused.html, new RegExp(`<input id="${field}"[^>]*aria-describedby="alert [^>]*aria-invalid`));
  }
  const { tenant: _, ...fields } = { ...CITY, tenant: '' };
  const tenant = await agent.get('/admin/upstreams/new?kind=microsoft');
  const refused = await agent.press(tenant, 'Add it', { ...fields, issuer: '', tenant: 'no tenant' });
  t.regex(refused.html, /This is no tenant[\s\S]*value="no tenant"[^>]*aria-invalid/);
  t.is(await postern.domain.upstreams.get('city'), undefined);

  const page = await agent.get('/admin/upstreams/taken');
  t.regex(page.html, /Client secret<\/dt><dd>None/);
  const kept = await agent.press(page, 'Save', { ...fields, name: '\u202E', client_secret: SECRET });
  t.is(kept.status, 400);
  t.regex(kept.html, /This name cannot be used[\s\S]*Type it once more/);
  t.false(kept.html.includes(SECRET));
  t.is(inField(kept, 'client_id'), 'riverside');
  await postern.domain.upstreams.remove('taken');
  const late = await agent.press(page, 'Save', fields);
  t.is(late.status, 404);
  t.is(late.page, 'not-found');
});

test.serial('a form that was open undoes nothing, and is not for another provider with the same id', async (t) => {
  const { upstreams } = postern.domain;
  const add = () => upstreams.add({ ...CITY, kind: 'oidc', clientId: 'one', scopes: ['openid'] });
  await add();
  const { agent, page } = await atDesk(postern, '/admin/upstreams/city');
  const remove = await agent.get('/admin/upstreams/city/remove');
  const shown = { client_id: 'one', name: CITY.name, scopes: 'openid' };
  await upstreams.update('city', { clientId: 'two', trustsEmail: true });
  t.regex((await agent.press(page, 'Save', { ...shown, name: 'Named' })).html, /It is saved/);
  t.like(await upstreams.get('city'), { name: 'Named', clientId: 'two', trustsEmail: true });
  const clash = await agent.press(page, 'Save', { ...shown, client_id: 'three', client_secret: SECRET });
  t.is(clash.status, 400);
  t.regex(clash.html, /Somebody else changed[\s\S]*value="three"[\s\S]*Type it once more/);
  t.like(await stored('city'), { clientId: 'two', clientSecret: undefined });

  await upstreams.remove('city');
  await add();
  for (const late of [
    await agent.press(page, 'Save', { ...shown, client_secret: SECRET }),
    await agent.press(remove, 'Remove'),
  ]) {
    t.is(late.status, 400);
    t.regex(late.html, /Somebody else changed/);
  }
  t.is((await stored('city'))?.clientSecret, undefined);
  await upstreams.remove('city');
  t.regex((await agent.press(remove, 'Remove')).html, /The provider is removed/, 'another operator was first');
});

test.serial('people sign in by a provider that was added in the page, until it is removed there', async (t) => {
  const { agent } = await atDesk(postern);
  const form = await agent.get('/admin/upstreams/new?kind=oidc');
  const client = await addClient(there, { redirectUris: [callbackIn(form)!], firstParty: true });
  const added = await agent.press(form, 'Add it', {
    id: inField(form, 'id')!,
    issuer: there.issuer,
    client_id: client.id,
    client_secret: client.secret!,
    name: 'City of Riverside',
    scopes: inField(form, 'scopes')!,
    trust_email: 'yes',
    sign_up: 'yes',
  });
  t.regex(added.html, /Kept, sealed/);

  const email = 'newcomer@example.com';
  await there.domain.accounts.add({ email, name: 'Grace Hopper', password: PASSWORD, emailVerified: true });
  const asked = await request(await discover(postern, await addClient(postern, { firstParty: true })), {});
  const person = new UserAgent(postern.issuer);
  const elsewhere = new UserAgent(there.issuer);
  const login = await person.get(asked.url);
  t.regex(login.html, /City of Riverside/);
  const { left } = await signInThere(person, login, 'oidc', async (at) =>
    signIn(elsewhere, await elsewhere.get(at), email),
  );
  t.like((await redeem(asked, left!)).claims(), { email, email_verified: true });

  t.regex((await agent.get('/admin/upstreams/oidc')).html, /1 person</);
  const remove = await agent.get('/admin/upstreams/oidc/remove');
  t.regex(remove.html, /1 person is linked to it/);
  await agent.press(remove, 'Remove');
  t.notRegex((await new UserAgent(postern.issuer).get(asked.url)).html, /City of Riverside/);
  const newcomer = (await postern.domain.accounts.byEmail(email))!;
  t.deepEqual(await postern.domain.identities.listForAccount(newcomer.id), []);
});

test.serial('hostile fields and addresses are refused or kept, never a failure, and never markup', async (t) => {
  const { agent } = await atDesk(postern);
  await postern.domain.upstreams.add({ ...CITY, kind: 'from-tomorrow', clientId: 'x', scopes: ['openid'] });
  const pages = await Promise.all(
    ['new?kind=oidc', 'new?kind=microsoft', 'city', 'city/remove'].map((path) => agent.get(`/admin/upstreams/${path}`)),
  );
  const NAMES = ['id', 'kind', 'issuer', 'tenant', 'client_id', 'client_secret', 'name', 'scopes', 'sign_up'];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...pages),
      fc.dictionary(fc.constantFrom(...NAMES, 'seen', 'since'), hostileText()),
      fc.constantFrom('add', 'save', 'remove', 'constructor'),
      hostileText(),
      async (page, fields, decision, text) => {
        const hidden = Object.fromEntries(
          [...page.html.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [
            name,
            value,
          ]),
        );
        // It is to be there to the end.
        const notRemoved = page.url.endsWith('/remove') && !('since' in fields) ? { since: '0' } : {};
        const body = { ...hidden, ...notRemoved, ...fields, decision };
        const answers = [await agent.post(page.url, new URLSearchParams(body))];
        const odd = encodeURIComponent(text.toWellFormed());
        for (const path of [odd, `${odd}/remove`, `new?kind=${odd}`])
          answers.push(await agent.get(`/admin/upstreams/${path}`));
        for (const { status, html } of answers) {
          t.true(status < 500, JSON.stringify([fields, text]));
          t.notRegex(html, /<script(?! src="\/assets)|<img src=x/);
        }
      },
    ),
    { numRuns: 100 },
  );
  t.regex((await agent.get('/admin/upstreams/city')).html, /from-tomorrow/);
});
