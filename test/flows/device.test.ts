import test from 'ava';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { authorize, discover, type Registered, request, signIn } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { startDatabaseServer } from '../support/postgres.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const ALLOW = { name: 'decision', value: 'allow' };
const DENY = { name: 'decision', value: 'deny' };

let postern: Postern;
let television: Registered;
const onDevice = { name: 'Television', type: 'native', redirectUris: [], deviceGrant: true } as const;
test.before(async () => {
  postern = await startPostern();
  await addPerson(postern);
  television = await addClient(postern, onDevice);
});
test.after.always(() => postern.close());

/** A device shows its code. */
async function begin({
  server = postern,
  client = television,
  ...parameters
}: { server?: Postern; client?: Registered } & Record<string, unknown> = {}) {
  const config = await discover(server, client);
  const shown = await oidc.initiateDeviceAuthorization(config, {
    scope: 'openid profile offline_access',
    ...(parameters as Record<string, string>),
  });
  return { server, config, shown };
}

type Begun = Awaited<ReturnType<typeof begin>>;

/** The device asks once. */
async function ask({ server, config, shown }: Begun, more: Record<string, string> = {}) {
  const { client_id } = config.clientMetadata();
  const response = await fetch(`${server.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: GRANT, device_code: shown.device_code, client_id, ...more }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

/** What it is told, when it asks as seldom as it should. */
async function told(begun: Begun): Promise<string | undefined> {
  pass(6000);
  const { body } = await ask(begun);
  return body['error'] ?? (body['access_token'] && 'tokens');
}

/** Somebody types the code that it shows. */
async function type({ server, shown }: Begun, agent = new UserAgent(server.issuer), code = shown.user_code) {
  const page = await agent.get('/device');
  return { agent, page: await agent.submit(page, { user_code: code }) };
}

/** They sign in where they have not, up to the question. */
async function question(begun: Begun, agent?: UserAgent) {
  const typed = await type(begun, agent);
  const { page } = typed;
  const asked =
    page.page === 'login' ? await typed.agent.submit(page, { email: 'ada@example.com', password: PASSWORD }) : page;
  return { agent: typed.agent, asked };
}

async function answer(begun: Begun, button = ALLOW, agent?: UserAgent): Promise<{ agent: UserAgent; last: Answer }> {
  const at = await question(begun, agent);
  return { agent: at.agent, last: await at.agent.submit(at.asked, {}, button) };
}

test.serial('a person signs in for a device in their browser, and it gets tokens that it can refresh', async (t) => {
  const begun = await begin();
  t.regex(begun.shown.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  t.is(begun.shown.verification_uri, `${postern.issuer}/device`);
  t.like(begun.shown, { interval: 5, expires_in: 900 });
  const { agent, asked } = await question(begun);
  t.is(asked.page, 'consent');
  t.true(asked.html.includes('Television'));
  t.true(asked.html.includes('on another device'));
  t.false(asked.html.includes(`<bdi>${new URL(postern.issuer).host}`), 'it asks to be trusted as if it were us');
  const last = await agent.submit(asked, {}, ALLOW);
  t.is(last.page, 'device-done');
  t.is(last.url, `${postern.issuer}/device/allowed`);
  const tokens = await oidc.pollDeviceAuthorizationGrant(begun.config, { ...begun.shown, interval: 0 });
  t.is(tokens.claims()?.['name'], 'Ada Lovelace');
  t.like(decodeJwt(tokens.access_token), { aud: `${postern.issuer}/api`, amr: ['pwd'] });
  t.is(decodeJwt(tokens.access_token)['auth_time'], tokens.claims()?.['auth_time']);
  const { sub } = tokens.claims()!;
  t.is((await oidc.fetchUserInfo(begun.config, tokens.access_token, sub)).sub, sub);
  const refreshed = await oidc.refreshTokenGrant(begun.config, tokens.refresh_token!);
  t.is(refreshed.claims()?.sub, sub);
  const events = await postern.domain.audit.allForAccount(sub);
  t.true(events.some((event) => event.type === 'device.allowed' && event.clientId === television.id));
});

test.serial('a device is told to wait, to ask less often, and then what came of it', async (t) => {
  const begun = await begin();
  t.like((await ask(begun)).body, { error: 'authorization_pending' });
  const early = await ask(begun);
  t.is(early.status, 400);
  t.like(early.body, { error: 'slow_down' });
  t.is(await told(begun), 'authorization_pending');
  const { agent, asked } = await question(begun);
  for (const click of ['the first', 'the second'])
    t.is((await agent.submit(asked, {}, DENY)).url, `${postern.issuer}/device/denied`, click);
  t.is(await told(begun), 'access_denied');
  t.is(await told(begun), 'access_denied');
});

test.serial('a device that waits leaves nothing to explain, and pushes no refusal out that there is', async (t) => {
  const refusals = async () => (await postern.store.find('refusals', 'all', '')).rows.length;
  const before = await refusals();
  const begun = await begin();
  const waiting = await ask(begun);
  t.like(waiting.body, { error: 'authorization_pending', error_id: undefined });
  t.like((await ask(begun)).body, { error: 'slow_down', error_id: undefined });
  t.is(await refusals(), before);
  t.regex((await ask(begun, { device_code: 'another' })).body['error_id'] ?? '', /^err_/);
  t.is(await refusals(), before + 1);
});

test.serial(
  'a code that nobody typed is over after 15 minutes, for the device and for whoever types it then',
  async (t) => {
    const [begun, late] = [await begin(), await begin()];
    const { agent, asked } = await question(late);
    pass(15 * 60_000 + 20_000);
    t.is(await told(begun), 'expired_token');
    const { page } = await type(begun);
    t.is(page.status, 400);
    t.regex(page.html, /role="alert"[\s\S]*No device waits with this code/);
    t.is((await agent.submit(asked, {}, ALLOW)).url, `${postern.issuer}/device/over`);
    t.not(await told(late), 'tokens');
  },
);

test.serial('what was allowed at the last moment is there when the device asks next', async (t) => {
  const begun = await begin();
  const { agent, asked } = await question(begun);
  pass(15 * 60_000 - 2000);
  await agent.submit(asked, {}, ALLOW);
  t.is(await told(begun), 'tokens');
});

test.serial('an address that has the code in it fills it in, and nothing is looked up until it is sent', async (t) => {
  const { shown } = await begin();
  const agent = new UserAgent(postern.issuer);
  const page = await agent.get(shown.verification_uri_complete!);
  t.is(page.page, 'device');
  t.true(page.html.includes(`value="${shown.user_code}"`));
  t.regex(page.html, /this very code/);
  const wrong = await agent.get('/device?user_code=BBBB-BBBB');
  t.is(wrong.status, 200);
  t.notRegex(wrong.html, /role="alert"/);
  const hostile = await agent.get(`/device?user_code=${encodeURIComponent('"><script>')}`);
  t.false(hostile.html.includes('<script>'));
});

test.serial('a code may be typed in small letters, without its hyphen, with blanks', async (t) => {
  for (const spelt of [
    (code: string) => code.toLowerCase(),
    (code: string) => code.replace('-', ''),
    (code: string) => ` ${code.replace('-', ' – ')} `,
  ]) {
    const begun = await begin();
    const { page } = await type(begun, undefined, spelt(begun.shown.user_code));
    t.is(page.page, 'login');
  }
});

test.serial('who typed a code in one browser cannot have another browser allow it', async (t) => {
  const begun = await begin();
  const { page } = await type(begun);
  t.is(page.page, 'login');
  const thief = new UserAgent(postern.issuer);
  await thief.submit(await thief.get('/device'), { user_code: begun.shown.user_code });
  const prepared = thief.visited.find((url) => url.includes('/authorize?'))!;
  const victim = new UserAgent(postern.issuer);
  const asked = await victim.submit(await victim.get(prepared), { email: 'ada@example.com', password: PASSWORD });
  t.is((await victim.submit(asked, {}, ALLOW)).url, `${postern.issuer}/device/over`);
  t.is(await told(begun), 'authorization_pending');
  const code = new URL(victim.visited.find((url) => url.includes('signed-in?'))!).searchParams.get('code')!;
  const state = new URL(prepared).searchParams.get('state')!;
  for (const code_verifier of [state, 'x'.repeat(43)]) {
    const response = await fetch(`${postern.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: television.id,
        redirect_uri: `${postern.issuer}/device/signed-in`,
        code,
        code_verifier,
      }),
    });
    t.is(response.status, 400, 'a code for a device was redeemed by somebody else');
  }
});

test.serial('an answer that belongs to nothing changes nothing', async (t) => {
  const begun = await begin();
  const { agent } = await question(begun);
  const state = new URL(agent.visited.find((url) => url.includes('/authorize?'))!).searchParams.get('state')!;
  const other = await begin();
  const { agent: another } = await answer(other);
  const code = new URL(another.visited.find((url) => url.includes('signed-in?'))!).searchParams.get('code')!;
  for (const query of [{ state }, { state, code: 'x' }, { state, code }, { state: 'x', error: 'access_denied' }, {}])
    t.is((await agent.get(`/device/signed-in?${new URLSearchParams(query)}`)).url, `${postern.issuer}/device/over`);
  t.is(await told(begun), 'authorization_pending');
});

test.serial('of twenty that redeem one device code at once, one gets tokens', async (t) => {
  for (let trial = 0; trial < 5; trial++) {
    const begun = await begin();
    await answer(begun);
    pass(6000);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(begun)));
    t.is(answers.filter(({ status }) => status === 200).length, 1);
    for (const { status, body } of answers) if (status !== 200) t.is(body['error'], 'invalid_grant');
  }
});

test.serial('of two people who answer one code at once, one decides, whatever the device asks meanwhile', async (t) => {
  await addPerson(postern, 'bob@example.com', 'Bob');
  for (let trial = 0; trial < 5; trial++) {
    const begun = await begin();
    const ada = await question(begun);
    const { agent, page } = await type(begun);
    const bobs = await agent.submit(page, { email: 'bob@example.com', password: PASSWORD });
    pass(6000);
    const [one, other] = await Promise.all([
      ada.agent.submit(ada.asked, {}, ALLOW),
      agent.submit(bobs, {}, DENY),
      ask(begun),
    ]);
    const said = await told(begun);
    t.is(one.url === other.url, true, `${one.url} ${other.url}`);
    t.is(said, one.url.endsWith('allowed') ? 'tokens' : 'access_denied');
  }
});

test.serial(
  'signing out in the browser does not end what the device has; taking the application away does',
  async (t) => {
    const begun = await begin({ scope: 'openid profile' });
    const { agent } = await answer(begun);
    pass(6000);
    const { body } = await ask(begun);
    const out = await agent.get('/logout');
    await agent.submit(out, {}, { name: 'logout', value: 'yes' });
    const { refresh_token = '' } = await oidc.refreshTokenGrant(begun.config, body['refresh_token']!);
    const { sub = '' } = decodeJwt(body['access_token']!);
    await postern.domain.consents.withdraw(sub, television.id);
    await t.throwsAsync(oidc.refreshTokenGrant(begun.config, refresh_token), { message: /response body/ });
  },
);

test.serial(
  'what a device may ask is judged before its code is shown, and what a person must prove is asked for',
  async (t) => {
    const web = await addClient(postern);
    const config = await discover(postern, web);
    const refused = async (promise: Promise<unknown>) =>
      (await t.throwsAsync(promise, { instanceOf: oidc.ResponseBodyError }))?.error;
    t.is(await refused(oidc.initiateDeviceAuthorization(config, { scope: 'openid' })), 'unauthorized_client');
    t.is(await refused(begin({ resource: 'https://nowhere.example/api' })), 'invalid_target');
    const begun = await begin({ acr_values: 'urn:postern:acr:two-factor' });
    const { asked } = await question(begun);
    t.is(asked.page, 'enrol');
  },
);

test.serial('a device that may use several APIs gets a token for the one it names (RFC 8707 §2.2)', async (t) => {
  const [files, secrets] = ['https://files.example.com', 'https://secrets.example.com'] as const;
  for (const [uri, scope] of [
    [files, 'files.read'],
    [secrets, 'secrets.read'],
  ] as const)
    await postern.domain.resources.add({ uri, scopes: [scope] });
  const client = await addClient(postern, { ...onDevice, resources: [files, secrets] });
  const config = await discover(postern, client);
  const asked = new URLSearchParams({ scope: 'openid files.read secrets.read' });
  for (const uri of [files, secrets]) asked.append('resource', uri);
  const begun = { server: postern, config, shown: await oidc.initiateDeviceAuthorization(config, asked) };
  await answer(begun);
  t.is((await ask(begun, { resource: 'https://nowhere.example.com' })).body['error'], 'invalid_target');
  const { body } = await ask(begun, { resource: secrets });
  t.is(decodeJwt(body['access_token']!).aud, secrets);
  t.is(body['scope'], 'openid secrets.read');
});

/** Ada's television, signed in to from this browser. */
async function connect(agent: UserAgent) {
  const begun = await begin({ scope: 'openid profile' });
  await answer(begun, ALLOW, agent);
  pass(6000);
  const { refresh_token = '' } = (await ask(begun)).body;
  return () => oidc.refreshTokenGrant(begun.config, refresh_token);
}

test.serial('of two televisions that one telephone connected, one is signed out and the other goes on', async (t) => {
  const agent = new UserAgent(postern.issuer);
  const [parlour, bedroom] = [await connect(agent), await connect(agent)];
  const { refresh_token = '' } = await parlour();
  await oidc.tokenRevocation(await discover(postern, television), refresh_token);
  await t.throwsAsync(parlour(), { message: /response body/ });
  t.truthy((await bedroom()).access_token);
});

test.serial('who ends a sign-in in their account ends the devices that were signed in to from it', async (t) => {
  const [stranger, own] = [new UserAgent(postern.issuer), new UserAgent(postern.issuer)];
  const [theirs, mine] = [await connect(stranger), await connect(own)];
  const page = await own.get('/account/sessions');
  t.is(page.page, 'account-sessions');
  await own.submit(page, {}, { name: 'decision', value: 'end-others' });
  await t.throwsAsync(theirs(), { message: /response body/ });
  t.truthy((await mine()).access_token);
});

test.serial('an application that was removed, or lost the grant, waits in vain', async (t) => {
  const gone = await addClient(postern, onDevice);
  const lost = await addClient(postern, { ...onDevice, redirectUris: ['http://127.0.0.1/callback'] });
  const [one, two] = [await begin({ client: gone }), await begin({ client: lost })];
  const at = await question(two);
  await postern.domain.clients.remove(gone.id);
  await postern.domain.clients.update(lost.id, { deviceGrant: false });
  for (const over of [one, two]) t.like((await type(over)).page, { page: 'device', status: 400 });
  const { page, status } = await at.agent.submit(at.asked, {}, ALLOW);
  t.is(status, 400, page);
  t.is(await told(one), 'invalid_client');
  t.is(await told(two), 'unauthorized_client');
});

test.serial('a device that runs beside a browser sign-in of the same application disturbs neither', async (t) => {
  const client = await addClient(postern, { type: 'web', deviceGrant: true, scopes: ['openid', 'profile', 'email'] });
  const agent = new UserAgent(postern.issuer);
  const { tokens, config } = await authorize(postern, client, {}, agent);
  const asked = await request(config);
  const shown = await oidc.initiateDeviceAuthorization(config, { scope: 'openid' });
  const page = await agent.submit(await agent.get('/device'), { user_code: shown.user_code });
  t.is(page.page, 'consent', 'whoever is sent a code has to be asked, whatever was allowed before');
  await agent.submit(page, {}, ALLOW);
  const onTelevision = await oidc.pollDeviceAuthorizationGrant(config, { ...shown, interval: 0 });
  t.is(onTelevision.claims()?.sub, tokens.claims()?.sub);
  t.truthy((await signIn(agent, await agent.get(asked.url))).left?.searchParams.get('code'));
});

test.serial('after a hundred codes from one network there is a pause', async (t) => {
  const own = await startPostern();
  t.teardown(() => own.close());
  const agent = new UserAgent(own.issuer);
  const page = await agent.get('/device');
  for (let tries = 0; tries < 100; tries++) t.is((await agent.submit(page, { user_code: 'BBBB-BBBB' })).status, 400);
  const over = await agent.submit(page, { user_code: 'BBBB-BBBB' });
  t.is(over.status, 429);
  t.true(Number(over.headers.get('retry-after')) > 0);
  t.regex(over.html, /too many attempts/);
});

test.serial('on PostgreSQL it is the same', async (t) => {
  const databases = await startDatabaseServer();
  t.teardown(() => databases.remove());
  const server = await startPostern({ env: { POSTERN_DATABASE_URL: (await databases.create()).url } });
  t.teardown(() => server.close());
  await addPerson(server);
  const begun = await begin({ server, client: await addClient(server, onDevice) });
  t.is(await told(begun), 'authorization_pending');
  t.is((await answer(begun)).last.url, `${server.issuer}/device/allowed`);
  pass(6000);
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(begun)));
  t.is(answers.filter(({ status }) => status === 200).length, 1);
});
