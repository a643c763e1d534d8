import test from 'ava';
import { Authenticator } from '../support/authenticator.ts';
import { ISSUER } from '../support/domain.ts';
import { factorRoom } from './support.ts';

const HERE = 'session';

/** Somebody with a passkey of a new key. */
async function withPasskey(room: ReturnType<typeof factorRoom>, name?: string) {
  const person = await room.somebody();
  const key = new Authenticator(ISSUER);
  const made = key.make((await room.ownFactors.beginPasskey(person, HERE))!);
  const result = await room.ownFactors.finishPasskey(person, HERE, made, name);
  return { person, key, made, result };
}

test('a person sees what they own, the oldest first, and nothing of its secrets', async (t) => {
  const room = factorRoom();
  const { ownFactors, time } = room;
  const { person } = await withPasskey(room, 'Desk key');
  time.at += 1000;
  const app = await room.withApp(person);
  const { set } = await ownFactors.newCodes(person.id);
  await ownFactors.keepCodes(person.id, set);
  const seen = await ownFactors.list(person);
  t.deepEqual(
    seen.factors.map(({ kind, name }) => [kind, name]),
    [
      ['passkey', 'Desk key'],
      ['totp', undefined],
    ],
  );
  t.is(seen.codesLeft, 10);
  t.false(JSON.stringify(seen).includes(app.secret));
  t.deepEqual(
    Object.keys(seen.factors[0]!).toSorted(),
    ['createdAt', 'id', 'kind', 'name'],
    'what a page gets, and no key',
  );
});

test('an answer given in another session, for somebody else, or twice adds nothing', async (t) => {
  const room = factorRoom();
  const { ownFactors } = room;
  const [ada, eve] = [await room.somebody(), await room.somebody()];
  const made = new Authenticator(ISSUER).make((await ownFactors.beginPasskey(ada, HERE))!);
  t.deepEqual(await ownFactors.finishPasskey(ada, 'another', made, undefined), { error: 'passkey' });
  t.deepEqual(await ownFactors.finishPasskey(eve, HERE, made, undefined), { error: 'passkey' });
  t.deepEqual(await ownFactors.finishPasskey(ada, HERE, made, undefined), { amr: ['swk', 'user', 'mfa'] });
  t.deepEqual(await ownFactors.finishPasskey(ada, HERE, made, undefined), { error: 'done' });
  t.is((await ownFactors.list(ada)).factors.length, 1);
});

test('one passkey is one person’s', async (t) => {
  const room = factorRoom();
  const { key } = await withPasskey(room);
  const eve = await room.somebody();
  const made = key.make((await room.ownFactors.beginPasskey(eve, HERE))!);
  t.deepEqual(await room.ownFactors.finishPasskey(eve, HERE, made, undefined), { error: 'taken' });
  t.is((await room.ownFactors.list(eve)).factors.length, 0);
});

test('a person names a factor and takes it away; nobody else can do either', async (t) => {
  const room = factorRoom();
  const { ownFactors } = room;
  const { person } = await withPasskey(room);
  const eve = await room.somebody();
  const { id } = (await ownFactors.list(person)).factors[0]!;
  t.deepEqual(await ownFactors.rename(eve, id, 'Mine now'), { error: 'gone' });
  t.deepEqual(await ownFactors.remove(eve, id), { error: 'gone' });
  t.deepEqual(await ownFactors.rename(person, id, '\u202Ekey'), { error: 'name' });
  t.deepEqual(await ownFactors.rename(person, id, 'Blue key'), { done: true });
  t.is((await ownFactors.list(person)).factors[0]?.name, 'Blue key');
  t.deepEqual(await ownFactors.remove(person, id), { done: true });
  t.deepEqual(await ownFactors.remove(person, id), { error: 'gone' });
  t.is((await ownFactors.list(person)).factors.length, 0);
});

test('recovery codes go with the last factor, and by themselves cannot be named or taken away', async (t) => {
  const room = factorRoom();
  const { ownFactors, domain } = room;
  const { person } = await withPasskey(room);
  await ownFactors.newCodes(person.id);
  const codes = (await domain.factors.list(person.id)).find(({ kind }) => kind === 'recovery')!;
  t.deepEqual(await ownFactors.remove(person, codes.id), { error: 'gone' });
  t.deepEqual(await ownFactors.rename(person, codes.id, 'Paper'), { error: 'gone' });
  await ownFactors.remove(person, (await ownFactors.list(person)).factors[0]!.id);
  t.is((await ownFactors.list(person)).codesLeft, undefined);
});

test('a passkey that is the only way in stays until there is another', async (t) => {
  const room = factorRoom();
  const { ownFactors, domain } = room;
  const city = { upstream: { id: 'city', issuer: 'https://id.city.example' }, subject: '17' };
  const person = await domain.identities.signUp({ ...city, email: 'new@example.com', emailVerified: true });
  const key = new Authenticator(ISSUER);
  await ownFactors.finishPasskey(person, HERE, key.make((await ownFactors.beginPasskey(person, HERE))!), undefined);
  const [passkey] = (await ownFactors.list(person)).factors;
  const [link] = await domain.identities.listForAccount(person.id);
  await domain.identities.unlink(person.id, link!.id);
  t.deepEqual(await ownFactors.remove(person, passkey!.id), { error: 'last' });
  await domain.accounts.setPassword(person.id, 'correct horse battery');
  t.deepEqual(await ownFactors.remove(person, passkey!.id), { done: true });
});

test('a factor that is being added while an operator takes all of them away is gone with them', async (t) => {
  const { ownFactors, somebody, withApp, store, domain } = factorRoom();
  const person = await somebody();
  await withApp(person);
  const made = new Authenticator(ISSUER).make((await ownFactors.beginPasskey(person, HERE))!);
  const { commit } = store;
  store.commit = async (changes) => {
    store.commit = commit;
    await domain.factors.reset(person.id);
    return commit(changes);
  };
  t.deepEqual(await ownFactors.finishPasskey(person, HERE, made, undefined), { error: 'done' });
  t.deepEqual((await ownFactors.list(person)).factors, []);
});

test('a factor that goes while another one is being taken away is counted as gone', async (t) => {
  const room = factorRoom({ second_factor: 'required' });
  const { ownFactors, store } = room;
  const { person } = await withPasskey(room);
  await room.withApp(person);
  const [first, second] = (await ownFactors.list(person)).factors;
  const find = store.find;
  let meanwhile: Promise<unknown> | undefined;
  store.find = async (...asked) => {
    const seen = await find(...asked);
    // What the first removal reads is old news before it has decided anything.
    if (asked[0] === 'factors' && !meanwhile) {
      meanwhile = ownFactors.remove(person, second!.id);
      await meanwhile;
    }
    return seen;
  };
  t.deepEqual(await ownFactors.remove(person, first!.id), { error: 'needed' });
  t.is((await ownFactors.list(person)).factors.length, 1);
});

test('where the operator demands a second factor the last one stays, also when both are taken away at once', async (t) => {
  const room = factorRoom({ second_factor: 'required' });
  const { ownFactors } = room;
  const { person } = await withPasskey(room);
  await room.withApp(person);
  const { factors } = await ownFactors.list(person);
  const results = await Promise.all(factors.map(({ id }) => ownFactors.remove(person, id)));
  t.deepEqual(results.map((result) => ('error' in result ? result.error : 'done')).toSorted(), ['done', 'needed']);
  t.is((await ownFactors.list(person)).factors.length, 1);
});
