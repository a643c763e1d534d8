import test from 'ava';
import { minutes, type Refusal, seconds } from '../../src/lib/index.ts';
import { testDomain } from '../support/domain.ts';

async function person() {
  const world = testDomain();
  const ada = await world.domain.accounts.add({ email: 'ada@example.com', password: 'correct horse' });
  return { ...world, ada };
}

const code = (error: unknown) => (error as Refusal).code;

test('a link is good for its purpose alone, until its time is over', async (t) => {
  const { domain, store, time, ada } = await person();
  const { links } = domain;
  const { secret, changes } = await links.issue({ purpose: 'reset-password', person: ada, email: ada.email });
  t.is(Buffer.from(secret, 'base64url').length, 32);
  t.is(await links.find('reset-password', secret), undefined, 'not before its commit');
  await store.commit(changes);
  t.is((await links.read('reset-password', secret)).accountId, ada.id);
  t.is(await links.find('change-email', secret), undefined);
  t.is(await links.find('reset-password', `${secret}x`), undefined);
  time.at += minutes(30) - 1;
  t.truthy(await links.find('reset-password', secret));
  time.at += 1;
  t.is(code(await t.throwsAsync(links.read('reset-password', secret))), 'link_gone');
});

test('a newer link ends the older one of its purpose and person, and no other', async (t) => {
  const { domain, store, ada } = await person();
  const { links } = domain;
  const bob = await domain.accounts.add({ email: 'bob@example.com' });
  const issue = async (purpose: 'reset-password' | 'verify-email', who: typeof ada) => {
    const { secret, changes } = await links.issue({ purpose, person: who, email: who.email });
    await store.commit(changes);
    return secret;
  };
  const first = await issue('reset-password', ada);
  const others = [await issue('verify-email', ada), await issue('reset-password', bob)] as const;
  const second = await issue('reset-password', ada);
  t.is(await links.find('reset-password', first), undefined);
  t.truthy(await links.find('reset-password', second));
  t.truthy(await links.find('verify-email', others[0]));
  t.truthy(await links.find('reset-password', others[1]));
});

test('what a person proved no longer counts, and neither do their links: a changed password, a disabled account', async (t) => {
  for (const end of ['password', 'disable', 'remove', 'email'] as const) {
    const { domain, store, ada } = await person();
    const { secret, changes } = await domain.links.issue({ purpose: 'reset-password', person: ada, email: ada.email });
    await store.commit(changes);
    if (end === 'password') await domain.accounts.setPassword(ada.id, 'another horse');
    if (end === 'disable') await domain.accounts.setDisabled(ada.id, true);
    if (end === 'remove') await domain.accounts.remove(ada.id);
    if (end === 'email') {
      const other = await domain.links.issue({ purpose: 'change-email', person: ada, email: 'new@example.com' });
      await store.commit(other.changes);
      await domain.recovery.changeEmail(other.secret);
    }
    t.is(await domain.links.find('reset-password', secret), undefined, end);
  }
});

test('of 20 that use one link at the same moment one does, whatever it is for', async (t) => {
  for (const purpose of ['reset-password', 'verify-email', 'change-email', 'sign-up'] as const) {
    const { domain, store, ada } = await person();
    const link = purpose === 'sign-up' ? { email: 'new@example.com' } : { person: ada, email: 'ada@example.net' };
    const { secret, changes } = await domain.links.issue({ purpose, ...link });
    await store.commit(changes);
    const uses: Record<typeof purpose, () => Promise<unknown>> = {
      'reset-password': () => domain.recovery.resetPassword(secret, 'another horse'),
      'verify-email': () => domain.recovery.verifyEmail(secret),
      'change-email': () => domain.recovery.changeEmail(secret),
      'sign-up': () => domain.joins.join('sign-up', secret, { password: 'another horse', locale: 'en' }),
    };
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, uses[purpose]));
    t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1, purpose);
    const refusals = outcomes.flatMap((each) => (each.status === 'rejected' ? code(each.reason) : []));
    // Who comes second to a new account may also find that the address has an owner.
    const told = purpose === 'sign-up' ? ['link_gone', 'email_taken'] : ['link_gone'];
    t.deepEqual(
      refusals.filter((each) => !told.includes(each)),
      [],
      purpose,
    );
  }
});

test('what used a link up is known for ten seconds, and nothing else is taken for it', async (t) => {
  const { domain, store, ada, time } = await person();
  const { secret, changes } = await domain.links.issue({ purpose: 'verify-email', person: ada, email: ada.email });
  await store.commit(changes);
  const used = (form: string) => domain.links.usedBy('verify-email', secret, form);
  t.is(await used('form'), undefined, 'nothing did');
  const tries = await Promise.allSettled(
    ['form', 'form', 'other'].map((it) => domain.recovery.verifyEmail(secret, it)),
  );
  t.is(tries.filter(({ status }) => status === 'fulfilled').length, 1);
  t.is((await used('form'))?.accountId, ada.id);
  t.is(await used('other'), undefined);
  t.is(await domain.links.find('verify-email', secret), undefined);
  time.at += seconds(10);
  t.is(await used('form'), undefined);
});

test('neither the secret of a link nor a code is in the store', async (t) => {
  const { domain, store, ada, commits } = await person();
  const { secret, changes } = await domain.links.issue({
    purpose: 'reset-password',
    person: ada,
    origin: { interaction: 'uid', device: 'a-browser' },
  });
  await store.commit(changes);
  const issued = domain.codes.issue({ person: ada, interaction: 'one' });
  await store.commit([issued.change]);
  const kept = JSON.stringify(commits());
  for (const value of [secret, issued.code, 'a-browser']) t.false(kept.includes(value));
});

test('a code has eight digits, and works once, where it was asked for', async (t) => {
  const { domain, store, ada } = await person();
  const use = { person: ada, interaction: 'one' };
  const { code: digits, change } = domain.codes.issue(use);
  t.regex(digits, /^\d{8}$/);
  await store.commit([change]);
  t.false(await domain.codes.redeem({ ...use, interaction: 'another' }, digits));
  t.false(await domain.codes.redeem({ ...use, person: { ...ada, epoch: ada.epoch + 1 } }, digits));
  const tries = Array.from({ length: 20 }, () => domain.codes.redeem(use, ` ${digits.slice(0, 4)} ${digits.slice(4)}`));
  t.is((await Promise.all(tries)).filter(Boolean).length, 1);
});

test('of a code five wrong guesses are one too many, fired together or not', async (t) => {
  const { domain, store, ada } = await person();
  const use = { person: ada, interaction: 'one' };
  for (const wrong of [4, 5, 20]) {
    const { code: digits, change } = domain.codes.issue(use);
    await store.commit([change]);
    await Promise.all(Array.from({ length: wrong }, () => domain.codes.redeem(use, 'nonsense')));
    t.is(await domain.codes.redeem(use, digits), wrong < 5);
  }
});

test('a code is over after ten minutes, and with the next one', async (t) => {
  const { domain, store, time, ada } = await person();
  const use = { person: ada, interaction: 'one' };
  const first = domain.codes.issue(use);
  await store.commit([first.change]);
  const second = domain.codes.issue(use);
  await store.commit([second.change]);
  t.false(await domain.codes.redeem(use, first.code));
  time.at += minutes(10);
  t.false(await domain.codes.redeem(use, second.code));
});
