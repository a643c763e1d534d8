import { generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import { exportJWK, generateKeyPair } from 'jose';
import { type OperationName, operationNames, perform, shapesOf } from '../../src/operations/index.ts';
import { signIn } from '../support/client.ts';
import { addPerson, CALLBACK, startPostern } from '../support/postern.ts';
import { UserAgent } from '../support/user-agent.ts';

// biome-ignore lint/suspicious/noExplicitAny: the test says what it expects
type Told = any;

test('every operation gives what it says it gives, and no member more', async (t) => {
  const postern = await startPostern({ env: { POSTERN_REGISTRATION: 'open' } });
  t.teardown(() => postern.close());
  const { domain } = postern;
  const done = new Set<OperationName>();
  const run = async (name: OperationName, args: object = {}): Promise<Told> => {
    const told = await perform(domain, name, args);
    const parsed = shapesOf(name).gives.safeParse(JSON.parse(JSON.stringify(told)));
    t.true(parsed.success, `${name}: ${parsed.error?.message}`);
    done.add(name);
    return told;
  };

  const ada = await addPerson(postern);
  const user = ada.id;
  await domain.recoveryCodes.put(user, ['one-of-them', 'another-one']);
  await run('user.add', { email: 'bob@example.com', name: 'Bob', email_verified: true });
  await run('user.invite', { email: 'eve@example.com' });
  await run('user.import', { lines: ['{"email":"mia@example.com"}'] });
  await run('user.import', { lines: ['{'] });
  for (const each of ['user.list', 'user.page'] as const) await run(each);
  await run('user.page', { email: 'ADA@example.com' });
  for (const each of ['user.list', 'user.page'] as const) await run(each, { search: 'ad' });
  await run('user.page', { limit: 1 });
  await run('user.show', { user });
  await run('user.factors', { user });
  const agent = new UserAgent(postern.issuer);
  await signIn(agent, await agent.get('/account'), ada.email);
  const [{ id: session }] = await run('user.sessions', { user });
  await run('user.sessions-page', { user });
  await run('user.end-session', { user, session });
  await run('user.reset-factors', { user });
  await run('user.disable', { user });
  await run('user.enable', { user });
  await run('user.update', { user, name: 'Ada King', disabled: false });
  await run('user.sign-out', { user });
  await run('user.password', { user, password: 'another correct horse battery' });
  await run('user.password-reset', { user });
  await run('user.remove', { user: 'bob@example.com' });

  const uri = 'https://api.example.com/v1';
  await run('resource.add', { uri, scopes: ['a'], ttl: 60, name: 'Files' });
  await run('resource.update', { uri, name: null, ttl: null, revocable: true });
  for (const each of ['resource.list', 'resource.page'] as const) await run(each);
  await run('resource.show', { uri });

  const { publicKey } = await generateKeyPair('ES256');
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', use: 'sig', alg: 'ES256' }] };
  const web = await run('client.add', {
    name: 'Photos',
    type: 'web',
    redirect_uris: [CALLBACK],
    post_logout_redirect_uris: [CALLBACK],
    backchannel_logout_uri: 'https://app.example.com/out',
    resources: [uri],
    default_acr_values: ['phr'],
  });
  const { client_id } = web;
  await run('client.add', { name: 'Robot', type: 'service', jwks });
  for (const _ of [1, 2, 3]) await run('client.rotate-secret', { client_id, keep_old_for: 3600 });
  await run('client.update', { client_id, jwks });
  await run('client.update', { client_id, jwks: null });
  const came = await fetch(`${postern.issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: [CALLBACK], software_id: 'x', software_version: '2' }),
  });
  const itself = ((await came.json()) as Told).client_id;
  await run('client.update', { client_id: itself, vouched: true });
  await run('client.show', { client_id: itself });
  for (const each of ['client.list', 'client.page'] as const) await run(each);
  await run('client.remove', { client_id });
  await run('resource.remove', { uri });

  const leave = await run('registration.add', { ttl: 3600, uses: 2 });
  for (const each of ['registration.list', 'registration.page'] as const) await run(each);
  await run('registration.remove', { id: leave.id });

  await run('upstream.add', { id: 'git', kind: 'github', client_id: 'x', client_secret: 'secret of it' });
  await run('upstream.update', { id: 'git', name: 'Git' });
  await run('upstream.list');
  await run('upstream.show', { id: 'git' });
  await run('upstream.remove', { id: 'git' });

  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const brought = await run('keys.import', { pem, alg: 'ES256' });
  await run('keys.rotate', {});
  await run('keys.list');
  await run('keys.revoke', { kid: brought.kid });

  await run('audit');
  await run('audit', { user, type: 'account' });
  await run('audit.page', { user, type: 'account', limit: 1 });
  const refused = (await (await fetch(`${postern.issuer}/token`, { method: 'POST' })).json()) as Told;
  await run('explain', { id: refused.error_id });

  t.deepEqual(
    operationNames.filter((name) => !done.has(name)),
    [],
    'and each was asked here',
  );
});
