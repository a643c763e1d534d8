import { generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { parseRedirectUris } from '../../src/domain/redirect-uris.ts';
import { parseScopes } from '../../src/domain/scopes.ts';
import { days, hours, minutes, Refusal } from '../../src/lib/index.ts';
import { testDomain } from '../support/domain.ts';
import { issueTo } from '../support/issued.ts';

const web = { name: 'Shop', type: 'web', redirectUris: ['https://shop.example.com/callback'] } as const;

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'accepted';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
};

test('what a client may do follows from its type', async (t) => {
  const { domain } = testDomain();
  const redirectUris = ['http://localhost:8080/cb'];
  const made = async (type: 'web' | 'spa' | 'native' | 'service', passwordGrant = false) => {
    const uris = type === 'service' ? {} : { redirectUris };
    const { client, secret } = await domain.clients.add({ name: 'x', type, passwordGrant, ...uris });
    return [client.tokenEndpointAuthMethod, secret !== undefined, client.grantTypes.join(' ')];
  };
  t.deepEqual(await made('web'), ['client_secret_basic', true, 'authorization_code refresh_token']);
  t.deepEqual(await made('spa'), ['none', false, 'authorization_code refresh_token']);
  t.deepEqual(await made('native'), ['none', false, 'authorization_code refresh_token']);
  t.deepEqual(await made('service'), ['client_secret_basic', true, 'client_credentials']);
  t.deepEqual(await made('web', true), ['client_secret_basic', true, 'authorization_code password refresh_token']);
  t.deepEqual(await made('service', true), ['client_secret_basic', true, 'client_credentials password refresh_token']);
});

test('a client that sends people away needs somewhere to get them back', async (t) => {
  const { domain } = testDomain();
  for (const type of ['web', 'spa', 'native'] as const) {
    const error = await t.throwsAsync(domain.clients.add({ name: 'x', type }), { instanceOf: Refusal });
    t.is(error.code, 'redirect_uri_missing');
  }
  const { client } = await domain.clients.add({ name: 'x', type: 'native', passwordGrant: true });
  t.deepEqual(client.grantTypes, ['password', 'refresh_token']);
  const error = await t.throwsAsync(domain.clients.add({ ...web, type: 'service' }), { instanceOf: Refusal });
  t.is(error.code, 'redirect_uri_unused');
});

test('a secret is given once: the store and every later answer hold only its digest', async (t) => {
  const { domain, commits } = testDomain();
  const { client, secret = '' } = await domain.clients.add(web);
  t.is(secret.length, 43);
  t.false(JSON.stringify([commits(), client, await domain.clients.list()]).includes(secret));
  t.true(domain.clients.verifySecret(client, secret));
  t.false(domain.clients.verifySecret(client, `${secret}x`));
  t.false(domain.clients.verifySecret(client, ''));
});

test('a client without a secret has none that fits', async (t) => {
  const { domain } = testDomain();
  const { client } = await domain.clients.add({ ...web, type: 'spa' });
  t.false(domain.clients.verifySecret(client, ''));
  const error = await t.throwsAsync(domain.clients.rotateSecret(client.id), { instanceOf: Refusal });
  t.is(error.code, 'client_has_no_secret');
});

test('a name may be written with joiners, as a Persian one is, and has no other character that is not seen', async (t) => {
  const { domain } = testDomain();
  const persian = 'نرم\u200Cافزار';
  const { client } = await domain.clients.add({ ...web, name: persian });
  t.is(client.name, persian);
  for (const name of ['', 'Sh\u200Bop', '\u202EpohS', 'a\u200C']) {
    const refused = domain.clients.add({ ...web, name });
    t.is((await t.throwsAsync(refused, { instanceOf: Refusal })).code, 'name_invalid');
  }
});

test('nobody and nothing is called by blanks alone', async (t) => {
  const { domain } = testDomain();
  const { id } = await domain.accounts.add({ email: 'ada@example.com' });
  for (const name of [' ', ' \u00A0\u3000'])
    for (const refused of [
      () => domain.clients.add({ ...web, name }),
      () => domain.resources.add({ uri: 'https://blank.example.com', name }),
      () => domain.accounts.add({ email: 'blank@example.com', name }),
      () => domain.accounts.rename(id, name),
    ])
      await t.throwsAsync(refused, { code: 'name_invalid' });
});

test('an old secret stops at once', async (t) => {
  const { domain } = testDomain();
  const { client, secret = '' } = await domain.clients.add(web);
  const rotated = await domain.clients.rotateSecret(client.id);
  t.false(domain.clients.verifySecret(rotated.client, secret));
  t.true(domain.clients.verifySecret(rotated.client, rotated.secret));
});

test('each old secret that was kept is good for as long as was said, however often there is a new one', async (t) => {
  const { domain, time } = testDomain();
  const { client, secret: first = '' } = await domain.clients.add(web);
  const { secret: second } = await domain.clients.rotateSecret(client.id, { keepOldFor: hours(24) });
  time.at += hours(12);
  const { secret: third } = await domain.clients.rotateSecret(client.id, { keepOldFor: hours(1) });
  // Changing something else does not shorten it.
  const { client: now } = await domain.clients.update(client.id, { name: 'Other' });
  const good = () => [first, second, third].map((secret) => domain.clients.verifySecret(now, secret));
  t.deepEqual(good(), [true, true, true]);
  time.at += hours(1);
  t.deepEqual(good(), [true, false, true]);
  time.at += hours(11) - 1;
  t.deepEqual(good(), [true, false, true]);
  time.at += 1;
  t.deepEqual(good(), [false, false, true]);
});

test('of old secrets five are kept, and a sixth is refused until one has ended', async (t) => {
  const { domain, time } = testDomain();
  const { client, secret: first = '' } = await domain.clients.add(web);
  for (let i = 0; i < 5; i++) await domain.clients.rotateSecret(client.id, { keepOldFor: hours(1) });
  const before = await domain.clients.get(client.id);
  await t.throwsAsync(domain.clients.rotateSecret(client.id, { keepOldFor: hours(1) }), { code: 'secrets_many' });
  t.deepEqual(await domain.clients.get(client.id), before);
  t.true(domain.clients.verifySecret(before!, first));
  time.at += hours(1);
  const { client: after } = await domain.clients.rotateSecret(client.id, { keepOldFor: hours(1) });
  t.is(after.secretHashes.length, 2);
});

test('a secret kept for a while, then rotated without keeping, leaves only the newest', async (t) => {
  const { domain } = testDomain();
  const { client, secret: first = '' } = await domain.clients.add(web);
  const { secret: second } = await domain.clients.rotateSecret(client.id, { keepOldFor: hours(24) });
  const { client: now } = await domain.clients.rotateSecret(client.id);
  t.false(domain.clients.verifySecret(now, first) || domain.clients.verifySecret(now, second));
});

test('an old secret is kept for a minute at least and thirty days at most', async (t) => {
  const { domain } = testDomain();
  const { client } = await domain.clients.add(web);
  for (const keepOldFor of [0, minutes(1) - 1, days(30) + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
    const refused = domain.clients.rotateSecret(client.id, { keepOldFor });
    t.is((await t.throwsAsync(refused, { instanceOf: Refusal })).code, 'time_invalid');
  }
  t.deepEqual(await domain.clients.get(client.id), client);
  await t.notThrowsAsync(domain.clients.rotateSecret(client.id, { keepOldFor: minutes(1) }));
  await t.notThrowsAsync(domain.clients.rotateSecret(client.id, { keepOldFor: days(30) }));
});

test('a client with keys of its own has no secret, and its keys are public ones', async (t) => {
  const { domain } = testDomain();
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  const jwks = (key: typeof publicKey, more: object = {}) => ({
    keys: [{ ...key.export({ format: 'jwk' }), ...more }],
  });
  const curve = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).publicKey;
  const agreed = generateKeyPairSync('x25519').publicKey;
  const { client, secret } = await domain.clients.add({ ...web, jwks: jwks(publicKey) });
  t.is(client.tokenEndpointAuthMethod, 'private_key_jwt');
  t.is(secret, undefined);
  t.is(client.jwks?.keys.length, 1);
  for (const bad of [
    jwks(privateKey),
    jwks(weak),
    // It could never prove itself by these.
    jwks(curve('P-384')),
    jwks(agreed),
    jwks(publicKey, { alg: 'RS512' }),
    jwks(publicKey, { use: 'enc' }),
    { keys: [] },
    { keys: [{ kty: 'oct', k: 'eA' }] },
    [],
    null,
    'x',
    7,
  ]) {
    const error = await t.throwsAsync(domain.clients.add({ ...web, jwks: bad }), { instanceOf: Refusal });
    t.is(error.code, 'jwks_invalid');
  }
  for (const good of [
    jwks(publicKey, { alg: 'PS256', use: 'sig' }),
    jwks(curve('P-256')),
    jwks(generateKeyPairSync('ed25519').publicKey),
    { keys: [...jwks(agreed).keys, ...jwks(publicKey).keys] },
  ])
    await t.notThrowsAsync(domain.clients.add({ ...web, jwks: good }));
  const spa = await t.throwsAsync(domain.clients.add({ ...web, type: 'spa', jwks: jwks(publicKey) }));
  t.is((spa as Refusal).code, 'jwks_invalid');
});

test('a client that gets keys loses its secret, and gets a new one when it loses them', async (t) => {
  const { domain } = testDomain();
  const jwks = { keys: [generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })] };
  const { client, secret: first = '' } = await domain.clients.add(web);
  t.is((await domain.clients.update(client.id, { jwks: null })).secret, undefined, 'it has one');
  const keyed = await domain.clients.update(client.id, { jwks });
  t.like(keyed, { secret: undefined, client: { tokenEndpointAuthMethod: 'private_key_jwt', secretHashes: [] } });
  t.is((await domain.clients.update(client.id, { name: 'Other' })).client.jwks?.keys.length, 1);
  const { client: again, secret = '' } = await domain.clients.update(client.id, { jwks: null });
  t.is(again.tokenEndpointAuthMethod, 'client_secret_basic');
  t.false('jwks' in again);
  t.true(domain.clients.verifySecret(again, secret));
  t.false(domain.clients.verifySecret(again, first));
  const { client: spa } = await domain.clients.add({ ...web, type: 'spa' });
  t.is((await domain.clients.update(spa.id, { jwks: null })).secret, undefined);
});

test('an update changes what it names and keeps the rest', async (t) => {
  const { domain } = testDomain();
  const { client, secret = '' } = await domain.clients.add({ ...web, scopes: ['openid'], passwordGrant: true });
  await Promise.all([
    domain.clients.update(client.id, { name: 'Other' }),
    domain.clients.update(client.id, { scopes: ['openid', 'email'] }),
    domain.clients.update(client.id, { firstParty: true }),
  ]);
  const changed = await domain.clients.get(client.id);
  t.like(changed, { name: 'Other', scopes: ['openid', 'email'], firstParty: true, grantTypes: client.grantTypes });
  t.true(changed && domain.clients.verifySecret(changed, secret));
  t.false((await domain.clients.update(client.id, { passwordGrant: false })).client.grantTypes.includes('password'));
});

test('a client may ask only for resources that are registered', async (t) => {
  const { domain } = testDomain();
  const resources = ['https://api.example.com'];
  const error = await t.throwsAsync(domain.clients.add({ ...web, resources }), { instanceOf: Refusal });
  t.is(error.code, 'resource_unknown');
  await domain.resources.add({ uri: 'https://api.example.com' });
  t.deepEqual((await domain.clients.add({ ...web, resources })).client.resources, resources);
});

test('removing a client ends its tokens and consents, those that have no grant too, and nothing of another', async (t) => {
  const { domain, store } = testDomain();
  const { client } = await domain.clients.add(web);
  await issueTo(store, 'usr_1', client.id);
  await issueTo(store, 'usr_1', 'cli_other');
  await store.commit([{ put: 'access_tokens', id: 'machine', record: { sealed: 'x', clientId: client.id } }]);
  await domain.consents.remember({ accountId: 'usr_1', clientId: client.id, scopes: ['openid'] });
  await domain.consents.remember({ accountId: 'usr_1', clientId: 'cli_other', scopes: ['openid'] });
  await domain.clients.remove(client.id);
  const { rows } = await store.stats();
  for (const table of ['grants', 'authorization_codes', 'access_tokens', 'refresh_tokens', 'consents'] as const)
    t.is(rows[table], 1, table);
  t.is(rows.sessions, 2, 'the person stays signed in');
  t.is((await t.throwsAsync(domain.clients.remove(client.id), { instanceOf: Refusal })).code, 'client_unknown');
});

const REFUSED = [
  'http://shop.example.com/cb',
  'https://*.example.com/cb',
  'https://shop.example.com/*',
  'https://shop.example.com/cb#x',
  'https://shop.example.com/cb#',
  'https://user@shop.example.com/cb',
  'https://user:pass@shop.example.com/cb',
  'https://@shop.example.com/cb',
  'https://shop.example.com:443/cb',
  'https://SHOP.example.com/cb',
  'https://shop.example.com/a/../b',
  'https://shop.example.com\\@evil.example',
  'https:shop.example.com/cb',
  'https://shop.example.com/c b',
  'https://shop.example.com/\ncb',
  ' https://shop.example.com/cb',
  'https://',
  '/callback',
  '//shop.example.com/cb',
  'javascript:alert(1)',
  'data:text/html,x',
  'file:///etc/passwd',
  'http://localhost.example.com/cb',
  'http://127.0.0.1.example.com/cb',
  'ftp://shop.example.com/',
  '',
];

for (const type of ['web', 'spa', 'native'] as const) {
  test(`a ${type} client gets no redirect URI that is not plain, exact and private`, (t) => {
    for (const uri of REFUSED)
      t.is(
        codeOf(() => parseRedirectUris(type, [uri])),
        'redirect_uri_invalid',
        uri,
      );
  });
}

test('https, loopback and, for native clients alone, schemes with a dot are accepted as they are written', (t) => {
  const common = [
    'https://a.example',
    'https://a.example/',
    'https://a.example:8443/cb?x=1',
    'http://127.0.0.1:5000/cb',
  ];
  const own = ['com.example.app:/callback', 'com.example.app://callback'];
  for (const type of ['web', 'spa', 'native'] as const) t.deepEqual(parseRedirectUris(type, common), common);
  t.deepEqual(parseRedirectUris('native', [...own, 'http://[::1]/cb', 'http://localhost/cb']).slice(0, 2), own);
  for (const type of ['web', 'spa'] as const)
    t.is(
      codeOf(() => parseRedirectUris(type, own)),
      'redirect_uri_invalid',
    );
  t.is(
    codeOf(() => parseRedirectUris('native', ['myapp:/callback'])),
    'redirect_uri_invalid',
  );
  for (const uri of ['com.example.app:callback', 'com.example.app:', 'COM.example.app:/callback'])
    t.is(
      codeOf(() => parseRedirectUris('native', [uri])),
      'redirect_uri_invalid',
      uri,
    );
});

test('whatever is given as a redirect URI is refused or is a URI without fragment, user or wildcard', (t) => {
  const parts = fc.constantFrom(
    'https:',
    'http:',
    '//',
    '/',
    'a.b',
    'localhost',
    '@',
    ':',
    '#',
    '*',
    '?',
    '\\',
    ' ',
    '..',
    'é',
  );
  const uri = fc.oneof(
    fc.webUrl(),
    fc.string(),
    fc.array(parts, { maxLength: 8 }).map((all) => all.join('')),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(uri, fc.constantFrom('web' as const, 'native' as const), (text, type) => {
        if (codeOf(() => parseRedirectUris(type, [text])) !== 'accepted') return true;
        const url = new URL(text);
        if (/[#*\s\\]/.test(text) || url.username !== '') return false;
        if (/^https?:$/.test(url.protocol)) return url.host !== '';
        return type === 'native' && /^[a-z][a-z0-9+-]*\.[a-z0-9.+-]*:\//.test(text);
      }),
      { numRuns: 2000 },
    ),
  );
});

test('a scope has the characters of RFC 6749 §3.3 and no others', (t) => {
  for (const bad of ['', 'a b', 'a"b', 'a\\b', 'é', 'a\n', '\u0000', 'x'.repeat(201)])
    t.is(
      codeOf(() => parseScopes([bad])),
      'scope_invalid',
      bad,
    );
  t.deepEqual(parseScopes(['openid', 'orders:read', 'openid']), ['openid', 'orders:read']);
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const fine = /^[!#-[\]-~]+$/.test(text) && text.length <= 200;
        return (codeOf(() => parseScopes([text])) === 'accepted') === fine;
      }),
    ),
  );
});
