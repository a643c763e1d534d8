import { generateKeyPairSync } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { createAudit } from '../../src/domain/audit.ts';
import { openKeys } from '../../src/domain/keys.ts';
import { type Duration, days, deriveKey, newSecret, seconds, silent } from '../../src/lib/index.ts';
import type { Store } from '../../src/store/index.ts';
import { memoryStore } from '../support/memory-store.ts';
import { until } from '../support/until.ts';

const PUBLISH_AHEAD = seconds(70);
const VERIFY_FOR = days(7);
const ROTATE_AFTER = days(30);
const DATA = Buffer.from('what is signed');

/** Keys on a store in memory, at a time that the test moves. */
async function opened(t: ExecutionContext) {
  const time = { at: Date.UTC(2026, 0, 1) };
  const now = () => time.at;
  const store: Store = memoryStore(now);
  const sealingKey = deriveKey(newSecret(), 'secrets');
  const another = async (more: { verifyFor?: Duration; rotateAfter?: Duration; visiting?: boolean } = {}) => {
    const keys = await openKeys({
      store,
      now,
      log: silent,
      audit: createAudit({ store, now }),
      sealingKey,
      rotateAfter: ROTATE_AFTER,
      publishAhead: PUBLISH_AHEAD,
      verifyFor: VERIFY_FOR,
      ...more,
    });
    t.teardown(() => keys.close());
    return keys;
  };
  return { time, store, another, keys: await another() };
}

const pem = (type: 'rsa' | 'ec', modulusLength = 2048): string =>
  (type === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  ).privateKey
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();

test('a new store has one RS256 key, which signs at once, also after a restart', async (t) => {
  const { keys, another } = await opened(t);
  t.deepEqual(
    keys.list().map(({ alg, state }) => [alg, state]),
    [['RS256', 'signing']],
  );
  const again = await another();
  t.is(again.signer().kid, keys.signer().kid);
  t.true(again.verifies(again.signer(), DATA, await keys.signer().sign(DATA)));
});

test('who comes with other settings for one thing neither drops keys nor rotates them, and makes the first', async (t) => {
  const { keys, time, another } = await opened(t);
  await keys.rotate();
  time.at += days(6);
  await keys.tick();
  const before = keys.list();
  t.is(before.length, 2);
  await another({ verifyFor: days(1), rotateAfter: days(1), visiting: true });
  await keys.tick();
  t.deepEqual(keys.list(), before);

  const now = () => time.at;
  const first = await openKeys({
    store: memoryStore(now),
    now,
    log: silent,
    audit: createAudit({ store: memoryStore(now), now }),
    sealingKey: deriveKey(newSecret(), 'secrets'),
    rotateAfter: ROTATE_AFTER,
    publishAhead: PUBLISH_AHEAD,
    verifyFor: VERIFY_FOR,
    visiting: true,
  });
  t.teardown(() => first.close());
  t.is(first.list().length, 1);
});

test('whichever reading of the clock is the first after its moment, a new key signs, and the old one’s private part goes', async (t) => {
  for (let early = 0; early < 16; early++) {
    const time = { at: Date.UTC(2026, 0, 1), early: Number.POSITIVE_INFINITY };
    // A millisecond passes between this reading and the next one.
    const now = () => (time.early-- === 0 ? time.at++ : time.at);
    const store = memoryStore(() => time.at);
    const keys = await openKeys({
      store,
      now,
      log: silent,
      audit: createAudit({ store, now }),
      sealingKey: deriveKey(newSecret(), 'secrets'),
      rotateAfter: ROTATE_AFTER,
      publishAhead: PUBLISH_AHEAD,
      verifyFor: VERIFY_FOR,
    });
    t.teardown(() => keys.close());
    const old = keys.signer().kid;
    const fresh = await keys.rotate();
    time.at = fresh.signsFrom - 1;
    time.early = early;
    await keys.tick();
    const done = async () => {
      const row = await store.get('signing_keys', old);
      return keys.signer().kid === fresh.kid && row?.record.sealedPrivateKey === undefined;
    };
    await t.notThrowsAsync(until(done), `${early} readings before`);
  }
});

test('a new key is published before it signs, and signs once everybody can know it', async (t) => {
  const { keys, time } = await opened(t);
  const old = keys.signer().kid;
  const fresh = await keys.rotate();
  t.is(fresh.state, 'published');
  t.true(keys.published().some(({ kid }) => kid === fresh.kid));
  time.at += PUBLISH_AHEAD - 1;
  await keys.tick();
  t.is(keys.signer().kid, old);
  time.at += 1;
  await keys.tick();
  t.is(keys.signer().kid, fresh.kid);
});

test('a retired key verifies what it signed, has lost its private part, and is dropped when that is over', async (t) => {
  const { keys, store, time } = await opened(t);
  const old = keys.signer();
  const signature = await old.sign(DATA);
  await keys.rotate();
  time.at += PUBLISH_AHEAD;
  const retiredAt = time.at;
  await keys.tick();
  const retired = keys.published().find(({ kid }) => kid === old.kid)!;
  t.is(retired.state, 'retired');
  t.is(retired.dropsAt, retiredAt + VERIFY_FOR);
  t.true(keys.verifies(retired, DATA, signature));
  await t.throwsAsync(retired.sign(DATA), { message: /only verifies/ });
  t.is((await store.get('signing_keys', old.kid))?.record.sealedPrivateKey, undefined);
  time.at = retiredAt + VERIFY_FOR - 1;
  await keys.tick();
  t.true(keys.published().some(({ kid }) => kid === old.kid));
  time.at += 1;
  await keys.tick();
  t.false(keys.published().some(({ kid }) => kid === old.kid));
  t.is(await store.get('signing_keys', old.kid), undefined);
});

test('over a year of rotations by age, whatever was signed verifies for as long as it may live', async (t) => {
  const { keys, time } = await opened(t);
  const alive: { kid: string; signature: Uint8Array; until: number }[] = [];
  const kids = new Set<string>();
  for (let day = 0; day < 365; day++) {
    const signer = keys.signer();
    kids.add(signer.kid);
    alive.push({ kid: signer.kid, signature: await signer.sign(DATA), until: time.at + VERIFY_FOR });
    time.at += days(1);
    await keys.tick();
    for (const { kid, signature, until } of alive.filter(({ until }) => until > time.at)) {
      const key = keys.published().find((candidate) => candidate.kid === kid);
      if (!key || !keys.verifies(key, DATA, signature)) t.fail(`day ${day}: ${kid} until ${until}`);
    }
    alive.splice(0, alive.length - 10);
    if (keys.published().length > 3) t.fail(`day ${day}: ${keys.published().length} keys`);
  }
  t.true(kids.size >= 11 && kids.size <= 13, String(kids.size));
});

test('of two rotations at once exactly one happens', async (t) => {
  const { keys, store, another } = await opened(t);
  const other = await another();
  const outcomes = await Promise.allSettled([keys.rotate(), other.rotate()]);
  t.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  t.is((await store.find('signing_keys', 'all', '')).rows.length, 2);
});

test('of two keys brought at once by two processes exactly one is taken', async (t) => {
  const { keys, store, another } = await opened(t);
  const other = await another();
  const [one, two] = [pem('rsa'), pem('rsa')];
  const commit = store.commit;
  const met = Promise.withResolvers<void>();
  let waiting = 0;
  // Both have read and decided before either commits.
  store.commit = async (changes) => {
    if (++waiting === 2) met.resolve();
    await met.promise;
    return commit(changes);
  };
  const outcomes = await Promise.allSettled([keys.importPem(one), other.importPem(two)]);
  t.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  t.is((await store.find('signing_keys', 'all', '')).rows.length, 2);
});

test('a rotation while another key waits to sign is refused', async (t) => {
  const { keys } = await opened(t);
  await keys.rotate();
  await t.throwsAsync(keys.rotate(), { code: 'key_pending' });
});

test('a revoked key is gone at once, and another signs in its place', async (t) => {
  const { keys, store, another } = await opened(t);
  const bad = keys.signer().kid;
  await keys.revoke(bad);
  t.not(keys.signer().kid, bad);
  t.false(keys.published().some(({ kid }) => kid === bad));
  t.is(await store.get('signing_keys', bad), undefined);
  const other = await another();
  t.is(other.signer().kid, keys.signer().kid);
});

test('revoking the key that signs lets the one that waits sign at once', async (t) => {
  const { keys } = await opened(t);
  const next = await keys.rotate();
  await keys.revoke(keys.signer().kid);
  t.is(keys.signer().kid, next.kid);
  t.is(keys.list().length, 1);
});

test('a key nobody has cannot be revoked', async (t) => {
  const { keys } = await opened(t);
  await t.throwsAsync(keys.revoke('none'), { code: 'key_unknown' });
});

test('a brought key is published first like any other, and only once', async (t) => {
  const { keys, time } = await opened(t);
  const brought = pem('rsa');
  const added = await keys.importPem(brought);
  t.is(added.state, 'published');
  await t.throwsAsync(keys.importPem(brought), { code: 'key_exists' });
  time.at += PUBLISH_AHEAD;
  await keys.tick();
  t.is(keys.signer().kid, added.kid);
});

test('the first key of another algorithm is published first, then signs beside RS256, which stays', async (t) => {
  const { keys, time } = await opened(t);
  const ec = await keys.importPem(pem('ec'), 'ES256');
  t.is(ec.state, 'published');
  time.at += PUBLISH_AHEAD;
  await keys.tick();
  t.is(keys.signer('ES256').kid, ec.kid);
  t.is(keys.signer().alg, 'RS256');
  const key = keys.signer('ES256');
  const signature = await key.sign(DATA);
  t.is(signature.length, 64, 'the two numbers of RFC 7518 §3.4');
  t.true(keys.verifies(key, DATA, signature));
});

test('what is no fit private key is refused with a reason', async (t) => {
  const { keys } = await opened(t);
  await t.throwsAsync(keys.importPem('nonsense'), { code: 'key_unreadable' });
  await t.throwsAsync(keys.importPem(pem('ec')), { code: 'key_unfit' });
  await t.throwsAsync(keys.importPem(pem('rsa', 1024)), { code: 'key_unfit' });
  await t.throwsAsync(keys.importPem(pem('rsa'), 'ES256'), { code: 'key_unfit' });
});

test('no private key is in the store as it is', async (t) => {
  const { keys, store } = await opened(t);
  const brought = pem('rsa');
  await keys.importPem(brought);
  const kept = JSON.stringify((await store.find('signing_keys', 'all', '')).rows);
  t.false(kept.includes('PRIVATE KEY'));
  for (const line of brought.split('\n').slice(1, -2)) t.false(kept.includes(line));
});

test('revoking the ES256 key that signs leaves another that can, for a retired one cannot', async (t) => {
  const { keys, time } = await opened(t);
  await keys.rotate('ES256');
  time.at += PUBLISH_AHEAD;
  const { kid } = await keys.rotate('ES256');
  time.at += PUBLISH_AHEAD;
  await keys.tick();
  await keys.revoke(kid);
  t.not(keys.signer('ES256').kid, kid);
  await t.notThrowsAsync(keys.signer('ES256').sign(DATA));
});
