import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { sayWith } from '../support/cli.ts';
import { signIn } from '../support/client.ts';
import { startPostern } from '../support/postern.ts';
import { UserAgent } from '../support/user-agent.ts';
import { envOf, folderOf, postern, serving } from './command-line.ts';

const PASSWORD = 'correct horse battery';

/**
 * Everything an operator does, which must be the same whether the server runs or not. Said in this process: what is a
 * process's own (its streams, its exit code, its folder) is in the tests below, and in failures.test.ts.
 */
async function administers(t: ExecutionContext, folder: string): Promise<void> {
  const enter = (args: string, input = '') => sayWith(input, envOf(folder), ...args.split(' '));
  const run = async (args: string, input = '') => {
    const outcome = await enter(`${args} --json`, input);
    t.is(outcome.code, 0, `${args}: ${outcome.notes}`);
    return outcome.json;
  };
  const refuses = async (args: string, why: RegExp) => {
    const outcome = await enter(args);
    t.is(outcome.code, 1);
    t.regex(outcome.notes.join('\n'), why);
  };
  const user = await run('user add Ann@example.com --name Ann --admin --password-stdin', `${PASSWORD}\n`);
  t.like(user, { email: 'Ann@example.com', name: 'Ann', admin: true, disabled: false, has_password: true });
  t.false(user.email_verified);
  const known = await run('user add known@example.com --email-verified');
  t.true(known.email_verified);
  await run('user remove known@example.com');
  t.regex(user.created_at, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  t.deepEqual(await run('user show ann@EXAMPLE.com'), user);
  t.deepEqual(await run(`user show ${user.id}`), user);
  t.deepEqual(await run('user list'), [user]);
  t.deepEqual(await run('user list --search NN@'), [user]);
  t.deepEqual(await run('user list --search nobody'), []);
  t.true((await run('user disable ann@example.com')).disabled);
  t.false((await run(`user enable ${user.id}`)).disabled);
  t.true((await run('user password ann@example.com --password-stdin', 'another one entirely')).has_password);
  t.deepEqual(await run('user update ann@example.com --name Anne --no-admin'), { ...user, name: 'Anne', admin: false });
  t.like(await run(`user update ${user.id} --email anne@example.com --email-verified`), {
    email: 'anne@example.com',
    email_verified: true,
  });
  t.deepEqual(
    await run('user update anne@example.com --name Ann --admin --email Ann@example.com --no-email-verified'),
    user,
  );
  t.deepEqual(await run('user sign-out ann@example.com'), user);
  t.deepEqual(await run('user factors ann@example.com'), []);
  t.deepEqual(await run('user sessions ann@example.com'), []);
  await refuses('user end-session ann@example.com nothing', /Ann@example.com has no such session/);
  t.deepEqual(await run('user reset-factors ann@example.com'), { id: user.id, email: user.email, removed: [] });

  const reset = await run('user password-reset ann@example.com --language de');
  t.like(reset, { ...user, link: reset.link, expires_at: reset.expires_at });
  t.regex(reset.link, /\/account\/reset\?token=[\w-]{43}&ui_locales=de$/);
  t.deepEqual(await run('user show ann@example.com'), user);
  const invited = await run('user invite bea@example.com --name Bea --language de-AT');
  t.like(invited, { email: 'bea@example.com', name: 'Bea', admin: false, has_password: false });
  t.regex(invited.link, /^http:\/\/[^/]+\/account\/welcome\?token=[\w-]{43}&ui_locales=de$/);
  t.true(Date.parse(invited.expires_at) - Date.now() > 6.9 * 24 * 60 * 60 * 1000);
  t.not((await run('user invite bea@example.com')).link, invited.link, 'the first one is good for nothing now');
  for (const [args, why] of [
    ['ann@example.com', /has a password already/],
    ['bea@example.com --admin', /is here already/],
    ['cid@example.com --language xx', /written in en and de/],
  ] as const)
    await refuses(`user invite ${args}`, why);
  for (const [args, why] of [
    ['ann@example.com', /nothing to change was named/],
    ['ann@example.com --email bea@example.com', /belongs to somebody already/],
    ['ann@example.com --email nonsense', /is not an e-mail address/],
    ['eve@example.com --name Eve', /there is no person/],
  ] as const)
    await refuses(`user update ${args}`, why);
  await run('user remove bea@example.com');

  const resource = await run('resource add https://api.example --scope read,write --scope list --ttl 5m --revocable');
  t.like(resource, {
    uri: 'https://api.example',
    scopes: ['read', 'write', 'list'],
    ttl: 300,
    revocable: true,
    alg: 'RS256',
  });
  t.deepEqual(await run('resource list'), [resource]);
  const { uri: api } = resource;
  t.deepEqual(await run(`resource update ${api} --name Files`), { ...resource, name: 'Files' });
  t.like(await run(`resource update ${api} --ttl 1h --no-scope --scope read --no-revocable --alg RS256`), {
    name: 'Files',
    scopes: ['read'],
    ttl: 3600,
    revocable: false,
  });
  t.like(await run(`resource update ${api} --no-ttl --no-name --no-scope`), { name: null, scopes: [], ttl: null });
  await refuses(`resource update ${api} --ttl 1s`, /from 30 seconds to 24 hours/);
  await refuses(`resource update ${api} --alg ES256`, /keys rotate --alg ES256/);
  await refuses('resource update https://nowhere.example --ttl 1h', /there is no resource/);
  const again = await run(`resource update ${api} --scope read,write --scope list --ttl 5m --revocable`);
  t.deepEqual(again, resource);

  const added = await run(
    'client add Shop --type web --redirect-uri https://a.example/1 --redirect-uri https://a.example/2 --scope openid,read --resource https://api.example --grant password --first-party --post-logout-redirect-uri https://a.example/bye',
  );
  const { client_secret, ...client } = added;
  t.like(client, {
    client_name: 'Shop',
    type: 'web',
    redirect_uris: ['https://a.example/1', 'https://a.example/2'],
    post_logout_redirect_uris: ['https://a.example/bye'],
    grant_types: ['authorization_code', 'password', 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_basic',
    scopes: ['openid', 'read'],
    resources: ['https://api.example'],
    first_party: true,
  });
  t.deepEqual(await run(`client show ${client.client_id}`), client);
  t.deepEqual(await run('client list'), [client]);
  const mistyped = await enter(`client update ${client.client_id} --scope openid,red,list`);
  t.deepEqual(mistyped.notes, ['no API of this client defines red: it will not get that']);
  t.deepEqual((await enter(`client update ${client.client_id} --scope openid,list`)).notes, []);
  const updated = await run(`client update ${client.client_id} --name Till --no-grant --no-scope --no-first-party`);
  t.like(updated, { client_name: 'Till', scopes: [], first_party: false, redirect_uris: client.redirect_uris });
  t.false(updated.grant_types.includes('password'));
  const instead = `client update ${client.client_id} --no-scope --scope list --no-scope`;
  t.deepEqual((await run(`${instead} --scope read`)).scopes, ['read']);
  t.deepEqual((await run(instead)).scopes, []);
  t.deepEqual((await run(`client update ${client.client_id} --acr phr`)).default_acr_values, ['phr']);
  t.false('default_acr_values' in (await run(`client update ${client.client_id} --no-acr`)));
  const none = /"gold" is none of urn:postern:acr:one-factor, urn:postern:acr:two-factor, phr/;
  await refuses(`client update ${client.client_id} --acr gold`, none);
  const uri = 'https://a.example/signed-out';
  const told = await run(
    `client update ${client.client_id} --backchannel-logout-uri ${uri} --backchannel-logout-session-required`,
  );
  t.like(told, { backchannel_logout_uri: uri, backchannel_logout_session_required: true });
  t.like(await run(`client update ${client.client_id} --name Till`), { backchannel_logout_uri: uri });
  t.false('backchannel_logout_uri' in (await run(`client update ${client.client_id} --no-backchannel-logout-uri`)));
  const keyFile = join(folder, 'client.jwks');
  const { publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(keyFile, JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] }));
  const keyed = await run(`client update ${client.client_id} --jwks ${keyFile}`);
  t.like(keyed, { token_endpoint_auth_method: 'private_key_jwt', client_secret: undefined });
  writeFileSync(keyFile, 'null');
  await refuses(`client update ${client.client_id} --jwks ${keyFile}`, /must be \{"keys"/);
  const back = await enter(`client update ${client.client_id} --no-jwks`);
  t.deepEqual(back.notes, ['the client_secret is shown this once: keep it now']);
  t.false('jwks' in (await run(`client show ${client.client_id}`)));
  const rotated = await run(`client rotate-secret ${client.client_id}`);
  t.truthy(rotated.client_secret);
  t.not(rotated.client_secret, client_secret);
  t.false('old_secret_until' in rotated);
  const kept = await run(`client rotate-secret ${client.client_id} --keep-old-for 1d`);
  t.true(Math.abs(Date.parse(kept.old_secret_until) - Date.now() - 24 * 60 * 60 * 1000) < 60_000);
  t.is((await run(`client show ${client.client_id}`)).old_secret_until, kept.old_secret_until);
  t.false('older_secrets_until' in kept);
  await refuses(`client rotate-secret ${client.client_id} --keep-old-for 31d`, /for 1 minute to 30 days/);
  await refuses(`client rotate-secret ${client.client_id} --keep-old-for tomorrow`, /no length of time such as/);
  t.is((await run(`client show ${client.client_id}`)).old_secret_until, kept.old_secret_until);
  const renewed = await run(`client rotate-secret ${client.client_id} --keep-old-for 1h`);
  t.deepEqual(renewed.older_secrets_until, [kept.old_secret_until]);
  t.true(renewed.old_secret_until < kept.old_secret_until);

  await refuses('resource remove https://api.example', /may ask for/);
  await refuses(`client update ${client.client_id} --vouched`, /was registered by an operator/);
  t.true((await run(`client remove ${client.client_id}`)).removed);
  for (const verb of ['show', 'update --name Mine', 'rotate-secret', 'remove'])
    await refuses(`client ${verb} account`, /there is no client "account" to look after: it is .* built in/);

  const { initial_access_token: token, ...leave } = await run('registration add --ttl 2h --uses 3');
  t.regex(token, new RegExp(`^${leave.id}\\.[\\w-]{43}$`));
  t.is(leave.left, 3);
  t.true(Math.abs(Date.parse(leave.expires_at) - Date.now() - 2 * 60 * 60 * 1000) < 60_000);
  t.deepEqual(await run('registration list'), [leave]);
  t.deepEqual(await run(`registration remove ${leave.id}`), { id: leave.id, removed: true });
  t.deepEqual(await run('registration list'), []);
  await refuses(`registration remove ${leave.id}`, /there is no registration token/);
  await refuses('registration add --ttl 400d', /1 second to 365 days/);
  await refuses('registration add --uses many', /is no whole number/);
  await refuses('registration add --uses 0', /1 to 10000 registrations/);
  const once = await enter('registration add');
  t.deepEqual(once.notes, ['the initial_access_token is shown this once: keep it now']);
  t.true((await run('resource remove https://api.example')).removed);

  const city = await run(
    'upstream add city --kind oidc --issuer https://id.city.example --client-id us --client-secret-stdin --sign-up',
    'the secret there\n',
  );
  t.like(city, {
    id: 'city',
    kind: 'oidc',
    has_secret: true,
    sign_up: true,
    trust_email: false,
    scopes: ['openid', 'email', 'profile'],
  });
  t.regex(city.callback, /^http:\/\/[^/]+\/upstream\/city\/callback$/);
  t.false(JSON.stringify(city).includes('the secret'));
  t.deepEqual(await run('upstream list'), [city]);
  t.like(await run('upstream update city --name Riverside --trust-email --no-sign-up'), {
    name: 'Riverside',
    trust_email: true,
    sign_up: false,
    has_secret: true,
  });
  for (const [args, why] of [
    ['city --kind oidc --issuer https://id.city.example --client-id us', /there is an upstream city already/],
    ['else --kind oidc --client-id us', /Say its issuer/],
    ['else --kind oidc --issuer http://id.city.example --client-id us', /must be an https URL/],
    ['else --kind google --issuer https://id.city.example --client-id us', /its issuer is always/],
    ['Else! --kind google --client-id us', /such as google/],
  ] as const)
    await refuses(`upstream add ${args}`, why);
  t.deepEqual(await run('upstream remove city'), { id: 'city', removed: true, unlinked: 0 });

  const [first] = await run('keys list');
  t.like(first, { alg: 'RS256', state: 'signing', drops_at: null });
  t.is((await run('keys rotate')).state, 'published');
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  const file = join(folder, 'key.pem');
  writeFileSync(file, pem);
  const brought = await run(`keys import ${file} --alg ES256`);
  t.is(brought.alg, 'ES256');
  t.true((await run(`keys revoke ${first.kid}`)).revoked);
  const left: { kid: string; alg: string; state: string }[] = await run('keys list');
  t.false(left.some(({ kid }) => kid === first.kid));
  t.true(left.some(({ alg, state }) => alg === 'RS256' && state === 'signing'));

  t.deepEqual(await run(`user remove ${user.id}`), { id: user.id, email: 'Ann@example.com', removed: true });
  t.deepEqual(await run('user list'), []);
}

test('every command works while no server runs', async (t) => {
  await administers(t, folderOf(t));
});

test('every command works while the server runs', async (t) => {
  const folder = folderOf(t);
  const server = await serving(t, folder);
  await administers(t, folder);
  await server.close();
});

test('what was done while the server runs is there when it does not, and the other way round', async (t) => {
  const folder = folderOf(t);
  await postern(folder, ['user', 'add', 'a@example.com']);
  const server = await serving(t, folder);
  t.is((await server.domain.accounts.byEmail('a@example.com'))?.email, 'a@example.com');
  await postern(folder, ['user', 'add', 'b@example.com']);
  t.truthy(await server.domain.accounts.byEmail('b@example.com'));
  await server.close();
  const { json } = await postern(folder, ['user', 'list', '--json']);
  t.deepEqual(json.map(({ email }: { email: string }) => email).sort(), ['a@example.com', 'b@example.com']);
});

test('a sign-in is told and ended, while the server runs and when it does not', async (t) => {
  const folder = folderOf(t);
  const enter = (...args: string[]) => sayWith('', envOf(folder), ...args);
  await sayWith(`${PASSWORD}\n`, envOf(folder), 'user', 'add', 'ann@example.com', '--password-stdin');
  const server = await startPostern({ folder });
  for (const name of ['Firefox/140.0 Linux', 'Version/18.0 Safari/604.1 iPhone']) {
    const agent = new UserAgent(server.issuer, { 'user-agent': name });
    t.is((await signIn(agent, await agent.get('/account'), 'ann@example.com', PASSWORD)).page, 'account');
  }
  const { json: both } = await enter('user', 'sessions', 'ann@example.com', '--json');
  t.deepEqual(both.map(({ browser }: { browser: string }) => browser).toSorted(), ['Firefox', 'Safari']);
  const [heading, first] = (await enter('user', 'sessions', 'ann@example.com')).out.split('\n');
  t.regex(heading!, /^id +last_seen_at +signed_in_at +address +browser +system +clients$/);
  t.regex(first!, /^[\w-]{43} +\S+Z +\S+Z +127\.0\.0\.1 +(Safari +iPhone|Firefox +Linux) +-$/);
  const ended = await enter('user', 'end-session', 'ann@example.com', both[0].id, '--json');
  t.like(ended.json, { email: 'ann@example.com', session: both[0].id, ended: true });
  await server.stop();
  t.deepEqual((await enter('user', 'sessions', 'ann@example.com', '--json')).json, [both[1]]);
  t.is((await enter('user', 'end-session', 'ann@example.com', both[1].id)).code, 0);
  t.is((await enter('user', 'sessions', 'ann@example.com')).out, 'none\n');
  const hyphened = await enter('user', 'end-session', 'ann@example.com', `-${both[0].id.slice(1)}`);
  t.regex(hyphened.notes.join(), /has no such session/);
});

test('explain tells what was asked, what was registered and the rule', async (t) => {
  const folder = folderOf(t);
  const server = await serving(t, folder);
  const id = await server.domain.refusals.record({
    error: 'invalid_request',
    sentence: 'This application sent you here in a wrong way.',
    rule: 'redirect_uri is none of the registered',
    asked: { redirect_uri: 'https://b.example', client_secret: 'hush' },
    registered: { redirect_uris: ['https://a.example'] },
  });
  const { json, code } = await postern(folder, ['explain', id, '--json']);
  t.is(code, 0);
  t.like(json, { id, error: 'invalid_request', rule: 'redirect_uri is none of the registered' });
  t.is(json.asked.redirect_uri, 'https://b.example');
  t.false(JSON.stringify(json).includes('hush'));
  t.regex((await postern(folder, ['explain', id])).stdout, /sentence +This application[\s\S]*rule +redirect_uri is/);
  const brief = await server.domain.refusals.record({
    error: 'invalid_request',
    sentence: 'The same.',
    rule: 'The same.',
  });
  t.is((await postern(folder, ['explain', brief])).stdout.split('The same.').length - 1, 1);
  const unknown = await postern(folder, ['explain', 'err_none']);
  t.is(unknown.code, 1);
  t.regex(unknown.stderr, /nothing is known of "err_none"/);
  await server.close();
});

test('audit tells what happened, the newest first, to one person or of one kind, also to who is gone', async (t) => {
  const folder = folderOf(t);
  const enter = (...args: string[]) => sayWith(`${PASSWORD}\n`, envOf(folder), ...args);
  const types = async (...args: string[]) => {
    const { code, json } = await enter('audit', '--json', ...args);
    t.is(code, 0);
    return json.map(({ type }: { type: string }) => type);
  };
  const { json: ann } = await enter('user', 'add', 'ann@example.com', '--password-stdin', '--json');
  await enter('user', 'disable', 'ann@example.com');
  const { json: made } = await enter('client', 'add', 'Photo Prints', '--type', 'service', '--json');
  t.deepEqual(await types('--limit', '2'), ['client.added', 'account.disabled']);
  t.deepEqual(await types('--user', 'ANN@example.com'), ['account.disabled', 'account.added']);
  t.deepEqual(await types('--type', 'client'), ['client.added']);
  t.deepEqual(await types('--type', 'account.added'), ['account.added']);
  t.deepEqual(await types('--type', 'acc'), []);
  const lines = (await enter('audit')).out.split('\n');
  t.regex(lines[0]!, /^at +type +user +client_id +details$/);
  t.regex(lines[1]!, new RegExp(`^\\S+Z +client.added +- +${made.client_id} +type=service grants=client_credentials$`));
  t.regex(lines[2]!, /^\S+Z +account.disabled +ann@example.com +- +-$/);

  const first = await enter('audit', '--limit', '2');
  const [, last] = /with --after (evt_\S+)$/.exec(first.notes.join()) ?? [];
  t.deepEqual(await types('--after', last!), ['account.added'], 'the next page');
  t.deepEqual(await types('--after', last!, '--type', 'client'), []);
  const all = await enter('audit', '--limit', '3');
  const end = await enter('audit', '--after', /evt_\S+/.exec(all.notes.join())![0]);
  t.deepEqual([end.out, end.notes], ['none\n', []]);
  t.deepEqual((await enter('audit', '--limit', '2', '--json')).notes, [], 'JSON has the ids');
  t.regex((await enter('audit', '--after', 'usr_1')).notes.join(), /after: is the `next` of no page of this list/);

  await enter('user', 'remove', 'ann@example.com');
  t.deepEqual(await types('--user', ann.id, '--limit', '1'), ['account.removed']);
  t.like((await enter('audit', '--limit', '1', '--json')).json[0], { user: ann.id, email: null });
  for (const wrong of ['0', '10001', '1.5', 'many'])
    t.regex((await enter('audit', '--limit', wrong)).notes.join(), /from 1 to 10000/);
  t.regex((await enter('audit', '--user', 'nobody@example.com')).notes.join(), /there is no person/);
});
