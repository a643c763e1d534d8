import test from 'ava';
import fc from 'fast-check';
import { networkOf } from '../../src/domain/networks.ts';
import { hours, minutes, seconds } from '../../src/lib/index.ts';
import { testDomain } from '../support/domain.ts';

type Guesses = ReturnType<typeof testDomain>['domain']['guesses'];
type Attempt = Parameters<Guesses['begin']>[0];

const alice = { email: 'alice@example.com', address: '192.0.2.1' };

/** How many of so many parallel wrong guesses got through. */
async function wrongGuesses(guesses: Guesses, many: number, attempt: Attempt): Promise<number> {
  const verdicts = await Promise.all(Array.from({ length: many }, () => guesses.begin(attempt)));
  return verdicts.filter(({ allowed }) => allowed).length;
}

async function signIn(guesses: Guesses, attempt: Attempt): Promise<boolean> {
  const verdict = await guesses.begin(attempt);
  if (verdict.allowed) await verdict.succeed();
  return verdict.allowed;
}

test('of 50 parallel guesses at a limit of 10, exactly 10 get through', async (t) => {
  for (let trial = 0; trial < 10; trial++) {
    const { domain } = testDomain();
    t.is(await wrongGuesses(domain.guesses, 50, alice), 10);
  }
});

test('an address nobody has is limited exactly as one that somebody has', async (t) => {
  const { domain } = testDomain();
  await domain.accounts.add({ email: alice.email, password: 'correct horse' });
  t.is(await wrongGuesses(domain.guesses, 12, alice), 10);
  t.is(await wrongGuesses(domain.guesses, 12, { ...alice, email: 'nobody@example.com' }), 10);
});

test('the spelling of the address makes no new account to guess at', async (t) => {
  const { domain } = testDomain();
  t.is(await wrongGuesses(domain.guesses, 10, alice), 10);
  t.false((await domain.guesses.begin({ ...alice, email: ' ALICE@example.com' })).allowed);
});

test('one network guessing at many accounts is limited as a whole, its neighbour is not', async (t) => {
  const { domain } = testDomain({ guesses: { network: 20 } });
  let through = 0;
  for (let i = 0; i < 30; i++)
    through += await wrongGuesses(domain.guesses, 1, { email: `p${i}@example.com`, address: `192.0.2.${i}` });
  t.is(through, 20);
  t.is(await wrongGuesses(domain.guesses, 1, { email: 'p@example.com', address: '192.0.3.1' }), 1);
});

test('a second factor is guessed at no more than three windows’ worth in a day, from anywhere and from a known browser', async (t) => {
  const { domain, time } = testDomain();
  const known = { ...alice, device: 'phone' };
  t.true(await signIn(domain.guesses, known));
  for (const attempt of [alice, known]) {
    let through = 0;
    for (let window = 0; window < 10; window++, time.at += minutes(16))
      through += await wrongGuesses(domain.guesses, 20, { ...attempt, secondFactor: true });
    t.is(through, 30);
    t.is(await wrongGuesses(domain.guesses, 1, attempt), 1, 'the password may be tried all the same');
    time.at += hours(24);
  }
  t.is(await wrongGuesses(domain.guesses, 9, { ...known, secondFactor: true }), 9);
  t.true(await signIn(domain.guesses, { ...known, secondFactor: true }), 'its owner signs in');
  let after = 0;
  for (let window = 0; window < 10; window++, time.at += minutes(16))
    after += await wrongGuesses(domain.guesses, 20, { ...known, secondFactor: true });
  t.is(after, 30, 'and what was wrong before is forgotten');
});

test('passwords and codes are counted together: neither form is a way round the other', async (t) => {
  const { domain } = testDomain();
  t.is(await wrongGuesses(domain.guesses, 6, alice), 6);
  t.is(await wrongGuesses(domain.guesses, 6, { ...alice, secondFactor: true }), 4);
  t.is(await wrongGuesses(domain.guesses, 1, alice), 0);
});

test('a guess refused for one account does not use up its network', async (t) => {
  const { domain } = testDomain({ guesses: { network: 11 } });
  t.is(await wrongGuesses(domain.guesses, 50, alice), 10);
  t.is(await wrongGuesses(domain.guesses, 5, { ...alice, email: 'bob@example.com' }), 1);
});

test('nobody is refused for longer than the window, and Retry-After says when', async (t) => {
  const { domain, time } = testDomain();
  await wrongGuesses(domain.guesses, 10, alice);
  time.at += minutes(5);
  const verdict = await domain.guesses.begin(alice);
  if (verdict.allowed) return t.fail();
  t.is(verdict.retryAfter, 600);
  // Trying all the while lengthens nothing.
  await wrongGuesses(domain.guesses, 20, alice);
  time.at += seconds(verdict.retryAfter) - 1;
  t.false((await domain.guesses.begin(alice)).allowed);
  time.at += 1;
  t.is(await wrongGuesses(domain.guesses, 20, alice), 10);
});

test('a right password does not count, however often it is given', async (t) => {
  const { domain } = testDomain();
  for (let i = 0; i < 30; i++) t.true(await signIn(domain.guesses, alice));
  t.is(await wrongGuesses(domain.guesses, 20, alice), 10);
});

test('a guess that was never looked at does not count', async (t) => {
  const { domain } = testDomain();
  for (let i = 0; i < 30; i++) {
    const verdict = await domain.guesses.begin(alice);
    if (!verdict.allowed) return t.fail();
    await verdict.release();
  }
  t.is(await wrongGuesses(domain.guesses, 20, alice), 10);
});

test('an attacker elsewhere does not lock out the browser its owner has signed in from', async (t) => {
  const { domain } = testDomain();
  const home = { ...alice, device: 'home' };
  t.true(await signIn(domain.guesses, home));
  await wrongGuesses(domain.guesses, 50, { ...alice, address: '203.0.113.1' });
  t.false((await domain.guesses.begin({ ...alice, device: 'elsewhere' })).allowed);
  t.true(await signIn(domain.guesses, home));
});

test('a whole network being refused does not lock out a known browser in it', async (t) => {
  const { domain } = testDomain({ guesses: { network: 5 } });
  const home = { ...alice, device: 'home' };
  t.true(await signIn(domain.guesses, home));
  await wrongGuesses(domain.guesses, 10, { ...alice, email: 'bob@example.com' });
  t.true(await signIn(domain.guesses, home));
});

test('a browser known to one account is nobody at another', async (t) => {
  const { domain } = testDomain();
  t.true(await signIn(domain.guesses, { email: 'mallory@example.com', address: alice.address, device: 'evil' }));
  await wrongGuesses(domain.guesses, 10, { ...alice, device: 'evil' });
  t.false((await domain.guesses.begin({ ...alice, device: 'evil' })).allowed);
  t.false((await domain.guesses.begin(alice)).allowed, 'the guesses were counted for the account');
});

test('inventing browsers gives no more guesses', async (t) => {
  const { domain } = testDomain();
  let through = 0;
  for (let i = 0; i < 30; i++) through += await wrongGuesses(domain.guesses, 1, { ...alice, device: `made up ${i}` });
  t.is(through, 10);
});

test('a known browser is limited too, by itself, and a success there clears its count', async (t) => {
  const { domain } = testDomain();
  const home = { ...alice, device: 'home' };
  t.true(await signIn(domain.guesses, home));
  t.is(await wrongGuesses(domain.guesses, 9, home), 9);
  t.true(await signIn(domain.guesses, home));
  t.is(await wrongGuesses(domain.guesses, 50, home), 10);
  t.is(await wrongGuesses(domain.guesses, 1, alice), 1, 'what it got wrong is counted nowhere else');
});

test('a browser stays known when its window is over', async (t) => {
  const { domain, time } = testDomain();
  const home = { ...alice, device: 'home' };
  t.true(await signIn(domain.guesses, home));
  time.at += minutes(60 * 24 * 30);
  await wrongGuesses(domain.guesses, 50, alice);
  t.true(await signIn(domain.guesses, home));
});

test('a success that comes after the window takes nothing back from the next one', async (t) => {
  const { domain, time } = testDomain();
  const late = await domain.guesses.begin(alice);
  time.at += minutes(15);
  t.is(await wrongGuesses(domain.guesses, 9, alice), 9);
  if (late.allowed) await late.succeed();
  t.is(await wrongGuesses(domain.guesses, 5, alice), 1);
});

test('the store holds neither address nor browser nor network of who guessed', async (t) => {
  const { domain, commits } = testDomain();
  await signIn(domain.guesses, { ...alice, device: 'some-browser' });
  await wrongGuesses(domain.guesses, 2, alice);
  t.notRegex(JSON.stringify(commits()), /alice|192\.0\.2|some-browser/);
});

test('a network is an IPv4 /24 or an IPv6 /56, however it is written', (t) => {
  t.is(networkOf('192.0.2.77'), '192.0.2.0/24');
  t.is(networkOf('::ffff:192.0.2.1'), '192.0.2.0/24');
  t.is(networkOf('::FFFF:c000:201'), '192.0.2.0/24');
  t.is(networkOf('0:0:0:0:0:ffff:192.0.2.9'), '192.0.2.0/24');
  t.is(networkOf('2001:db8:1:22ff::1'), networkOf('2001:0db8:0001:2200:ffff:ffff:ffff:ffff'));
  t.not(networkOf('2001:db8:1:2200::1'), networkOf('2001:db8:1:2300::1'));
  t.is(networkOf('fe80::1%eth0'), networkOf('fe80::2'));
  t.is(networkOf('::1'), networkOf('::2'));
});

test('whatever is given as an address, there is a network', (t) => {
  t.notThrows(() => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (text) => networkOf(text).length > 0));
    fc.assert(fc.property(fc.ipV6(), (text) => networkOf(text) === networkOf(text.toUpperCase())));
    fc.assert(fc.property(fc.ipV6(), (text) => !networkOf(text).includes('NaN')));
  });
});
