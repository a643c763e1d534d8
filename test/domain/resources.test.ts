import test from 'ava';
import { days, minutes, Refusal, seconds } from '../../src/lib/index.ts';
import { ISSUER, testDomain } from '../support/domain.ts';

const api = { uri: 'https://api.example.com', name: 'Orders', scopes: ['orders:read'], ttl: minutes(5) };

test('a resource is found by its URI as it was given', async (t) => {
  const { domain } = testDomain();
  const added = await domain.resources.add(api);
  t.like(added, { ...api, revocable: false });
  t.deepEqual(await domain.resources.get(api.uri), added);
  t.is(await domain.resources.get(`${api.uri}/`), undefined);
  await domain.resources.add({ uri: 'urn:example:api' });
  t.deepEqual(
    (await domain.resources.list()).resources.map(({ uri }) => uri),
    [api.uri, 'urn:example:api'],
  );
});

test('of two who register one URI at the same moment, one is told that it exists', async (t) => {
  const { domain } = testDomain();
  const results = await Promise.allSettled([domain.resources.add(api), domain.resources.add(api)]);
  const [refused, ...more] = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  t.deepEqual(more, []);
  t.is((refused as Refusal).code, 'resource_exists');
  t.regex((refused as Refusal).message, /resource update changes it/);
});

test('the issuer is no resource, since refresh tokens have it as their audience', async (t) => {
  const { domain } = testDomain();
  for (const uri of [ISSUER, `${ISSUER}/`, `${ISSUER}//`, ISSUER.toUpperCase(), `${ISSUER}:443`, `${ISSUER}:443/`]) {
    const error = await t.throwsAsync(domain.resources.add({ uri }), { instanceOf: Refusal });
    t.is(error.code, 'resource_invalid', uri);
  }
  await t.notThrowsAsync(domain.resources.add({ uri: `${ISSUER}/api` }));
});

test('a resource is an absolute URI without a fragment', async (t) => {
  const { domain } = testDomain();
  for (const uri of [
    '',
    'api',
    '/api',
    '//api.example.com',
    'https://a.b/#x',
    'https://a b',
    'https://',
    'é:x',
    `https://a.b/${'x'.repeat(500)}`,
  ])
    t.is((await t.throwsAsync(domain.resources.add({ uri }), { instanceOf: Refusal })).code, 'resource_invalid', uri);
});

test('a lifetime is from 30 seconds to a day', async (t) => {
  const { domain } = testDomain();
  for (const ttl of [0, -1, seconds(29), days(1) + 1, Number.NaN, Number.POSITIVE_INFINITY])
    t.is((await t.throwsAsync(domain.resources.add({ ...api, ttl }), { instanceOf: Refusal })).code, 'ttl_invalid');
});

test('a resource that a client may ask for is not removed under it', async (t) => {
  const { domain } = testDomain();
  await domain.resources.add(api);
  const { client } = await domain.clients.add({ name: 'Job', type: 'service', resources: [api.uri] });
  const error = await t.throwsAsync(domain.resources.remove(api.uri), { instanceOf: Refusal });
  t.is(error.code, 'resource_in_use');
  t.true(error.message.includes(client.id));
  await domain.clients.update(client.id, { resources: [] });
  await domain.resources.remove(api.uri);
  t.is((await t.throwsAsync(domain.resources.remove(api.uri), { instanceOf: Refusal })).code, 'resource_unknown');
});

test('what an update does not name stays as it is, and null takes away', async (t) => {
  const { domain } = testDomain();
  const added = await domain.resources.add({ ...api, revocable: true });
  t.deepEqual(await domain.resources.update(api.uri, { ttl: minutes(1), name: undefined }), {
    ...added,
    ttl: minutes(1),
  });
  const { ttl: _, name: __, ...bare } = added;
  const changed = await domain.resources.update(api.uri, { ttl: null, name: null, scopes: [], revocable: false });
  t.deepEqual(changed, { ...bare, scopes: [], revocable: false });
  t.deepEqual(await domain.resources.get(api.uri), changed);
});

test('an update is refused what adding is refused, and changes nothing then', async (t) => {
  const { domain } = testDomain();
  const added = await domain.resources.add(api);
  for (const [patch, code] of [
    [{ ttl: seconds(29) }, 'ttl_invalid'],
    [{ name: '' }, 'name_invalid'],
    [{ name: 'Or\u200Bders' }, 'name_invalid'],
    [{ scopes: ['a b'] }, 'scope_invalid'],
    [{ alg: 'ES256' }, 'alg_unavailable'],
  ] as const)
    t.is((await t.throwsAsync(domain.resources.update(api.uri, patch), { instanceOf: Refusal })).code, code);
  t.deepEqual(await domain.resources.get(api.uri), added);
  const unknown = await t.throwsAsync(domain.resources.update('urn:none', {}), { instanceOf: Refusal });
  t.is(unknown.code, 'resource_unknown');
});

test('two updates at the same moment both count', async (t) => {
  const { domain } = testDomain();
  await domain.resources.add(api);
  await Promise.all([
    domain.resources.update(api.uri, { name: 'Bills' }),
    domain.resources.update(api.uri, { ttl: minutes(9) }),
  ]);
  t.like(await domain.resources.get(api.uri), { name: 'Bills', ttl: minutes(9) });
});

test('people are told its name, else its host, and all of a URI that has none', async (t) => {
  const { domain } = testDomain();
  await domain.resources.add(api);
  for (const uri of ['https://bills.example.com:8443/v1', 'urn:example:api']) await domain.resources.add({ uri });
  t.is(await domain.resources.nameOf(api.uri), 'Orders');
  t.is(await domain.resources.nameOf('https://bills.example.com:8443/v1'), 'bills.example.com:8443');
  t.is(await domain.resources.nameOf('urn:example:api'), 'urn:example:api');
});
