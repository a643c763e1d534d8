import test from 'ava';
import fc from 'fast-check';
import { addressOf, clientAddress, stateOf } from '../../src/http/index.ts';
import { networkFault, networksOf, parseAddress } from '../../src/lib/index.ts';
import { answer, serve } from './support.ts';

const site = (trusted: readonly string[]) =>
  serve(
    clientAddress(trusted),
    answer((ctx) => ({ state: stateOf(ctx).address, ip: ctx.ip, header: ctx.get('X-Forwarded-For') })),
  );

test('a stranger’s X-Forwarded-For is not believed', async (t) => {
  await using s = await site([]);
  const { text } = await s.ask('/', { 'x-forwarded-for': '203.0.113.9' });
  t.deepEqual(JSON.parse(text), { state: '127.0.0.1', ip: '127.0.0.1', header: '' });
});

test('a trusted proxy’s is, in one header or in several', async (t) => {
  await using s = await site(['127.0.0.0/8']);
  t.is(JSON.parse((await s.ask('/', { 'x-forwarded-for': '203.0.113.9' })).text).state, '203.0.113.9');
  const several = await s.ask('/', { 'x-forwarded-for': ['198.51.100.1', '203.0.113.9'] });
  t.is(JSON.parse(several.text).state, '203.0.113.9');
});

test('the chain is read from the right and ends at the first that is not trusted', (t) => {
  const trusted = networksOf(['10.0.0.0/8', 'fd00::/8', '192.0.2.7']);
  const said = (peer: string, header?: string) => addressOf(peer, header, trusted);
  t.is(said('10.0.0.1', '198.51.100.1, 203.0.113.9, 10.9.9.9'), '203.0.113.9');
  t.is(said('10.0.0.1', '203.0.113.9, fd00::5, 192.0.2.7'), '203.0.113.9');
  t.is(said('203.0.113.9', '10.0.0.1'), '203.0.113.9');
  t.is(said('10.0.0.1', '10.0.0.2'), '10.0.0.2');
  t.is(said('10.0.0.1'), '10.0.0.1');
  t.is(said('10.0.0.1', '1.2.3.4, nonsense'), '10.0.0.1');
});

test('an IPv4 address inside IPv6 is the IPv4 address', (t) => {
  const trusted = networksOf(['10.0.0.0/8']);
  t.is(addressOf('::ffff:10.0.0.1', '203.0.113.9', trusted), '203.0.113.9');
  t.is(addressOf('::ffff:0a00:0001', '::ffff:cb00:7109', trusted), '203.0.113.9');
});

test('every way of writing one address gives the same text', (t) => {
  for (const [text, expected] of [
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    [' 203.0.113.9:8080 ', '203.0.113.9'],
    ['fe80::1%eth0', 'fe80::1'],
    ['0:0:0:0:0:ffff:203.0.113.9', '203.0.113.9'],
    ['unknown', undefined],
    ['_hidden', undefined],
    ['', undefined],
    ['203.0.113.09', undefined],
    ['300.1.1.1', undefined],
  ] as const)
    t.is(parseAddress(text), expected, text);
});

test('hostile values never throw and never give anything but an address', (t) => {
  const trusted = networksOf(['0.0.0.0/1', '128.0.0.0/1', '::/1', '8000::/1']);
  const piece = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', ',', '[', '%', '::ffff:'),
  );
  fc.assert(
    fc.property(fc.option(piece, { nil: undefined }), fc.array(piece), (peer, hops) => {
      const address = addressOf(peer, hops.join(','), trusted);
      t.is(parseAddress(address), address);
    }),
    { numRuns: 2_000 },
  );
});

test('a network that cannot be meant is none', (t) => {
  for (const bad of [
    'proxy.local',
    '10.0.0.0/33',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0/8',
    'fd00::/129',
    'fe80::1%eth0',
    '::ffff:10.0.0.1',
    '0:0:0:0:0:ffff:a00:1',
    '0.0.0.0/0',
    '::/0',
    '',
  ])
    t.is(typeof networkFault(bad), 'string', bad);
  for (const good of ['10.0.0.0/8', 'fd00::/8', '192.0.2.7']) t.is(networkFault(good), undefined, good);
});
