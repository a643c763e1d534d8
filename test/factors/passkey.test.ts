import { generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { minutes } from '../../src/lib/index.ts';
import { Authenticator } from '../support/authenticator.ts';
import { ISSUER } from '../support/domain.ts';
import { factorRoom } from './support.ts';

const HERE = 'interaction:1';
const HOST = new URL(ISSUER).hostname;

/** Somebody with a passkey that may count, and all that answers for it. */
async function owner({ synced = true }: { synced?: boolean } = {}) {
  const room = factorRoom();
  const person = await room.somebody();
  const key = new Authenticator(ISSUER, { synced });
  const { ownFactors, passkeys, domain } = room;
  const made = key.make((await ownFactors.beginPasskey(person, HERE))!);
  await ownFactors.finishPasskey(person, HERE, made, undefined);
  const ask = async () => passkeys.ask(HERE, person, await domain.factors.list(person.id));
  return { room, person, key, passkeys, ask };
}

test('the right answer proves possession, and the second kind of proof where the key knew its owner', async (t) => {
  const { person, key, passkeys, ask } = await owner({ synced: false });
  const verified = await passkeys.verify(HERE, key.answer(await ask()), person);
  t.deepEqual(verified?.amr, ['hwk', 'user', 'mfa']);
  const touched = await passkeys.verify(HERE, key.answer(await ask(), { verified: false }), person);
  t.deepEqual(touched?.amr, ['hwk', 'user']);
});

const LIES: Readonly<Record<string, Parameters<Authenticator['answer']>[1]>> = {
  'signed by another key': { signWith: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey },
  'asked by another origin': { origin: 'https://id.example.com.evil.example' },
  'made for another host': { rpId: 'evil.example' },
  'made as a registration': { type: 'webauthn.create' },
  'without anybody present': { present: false },
  'with a challenge of its own': { challenge: 'AAAAAAAAAAAAAAAAAAAAAA' },
};

for (const [what, lies] of Object.entries(LIES)) {
  test(`an answer ${what} proves nothing`, async (t) => {
    const { person, key, passkeys, ask } = await owner();
    t.is(await passkeys.verify(HERE, key.answer(await ask(), lies), person), undefined);
  });
}

test('an answer is good once, in the interaction it was asked for in, for its owner, and for 15 minutes', async (t) => {
  const { room, person, key, passkeys, ask } = await owner();
  const eve = await room.somebody();
  const answer = key.answer(await ask());
  t.is(await passkeys.verify('interaction:2', answer, person), undefined);
  t.is(await passkeys.verify(HERE, answer, eve), undefined);
  t.is(await passkeys.verifyAnybody(HERE, answer), undefined, 'asked of one person, it is no answer to "who are you?"');
  const [first, second] = await Promise.all([1, 2].map(() => passkeys.verify(HERE, answer, person)));
  const used = await Promise.all([first!.use(), second!.use()]);
  t.deepEqual(used.toSorted(), [false, true], 'of two at once, one');
  const late = key.answer(await ask());
  room.time.at += minutes(15);
  t.is(await passkeys.verify(HERE, late, person), undefined);
});

test('a counter that does not rise is a copy of the key, and is not let in', async (t) => {
  const { person, key, passkeys, ask } = await owner();
  const uses = async (counter: number) =>
    (await passkeys.verify(HERE, key.answer(await ask(), { counter }), person))?.use() ?? false;
  t.true(await uses(7));
  t.true(await uses(8));
  t.false(await uses(8));
  t.false(await uses(3));
  t.false(await uses(0));
  t.true(await uses(9));
});

test('alone it says who somebody is, if it knew its owner; the user handle is believed only where it fits the key', async (t) => {
  const { room, person, key, passkeys } = await owner();
  const eve = await room.somebody();
  const answered = await passkeys.verifyAnybody(HERE, key.answer(await passkeys.askAnybody(HERE)));
  t.is(answered?.factor.accountId, person.id);
  const foreign = { userHandle: Buffer.from(eve.id).toString('base64url') };
  for (const lies of [{ verified: false }, foreign, { userHandle: '' }, { userHandle: '%%%' }] as const)
    t.is(await passkeys.verifyAnybody(HERE, key.answer(await passkeys.askAnybody(HERE), lies)), undefined);
});

test('a new passkey from another origin or for another host is none', async (t) => {
  const room = factorRoom();
  const person = await room.somebody();
  for (const lies of [
    { origin: 'https://evil.example' },
    { rpId: 'evil.example' },
    { type: 'webauthn.get' },
    { present: false },
  ]) {
    const made = new Authenticator(ISSUER).make((await room.ownFactors.beginPasskey(person, HERE))!, lies);
    t.deepEqual(
      await room.ownFactors.finishPasskey(person, HERE, made, undefined),
      { error: 'passkey' },
      JSON.stringify(lies),
    );
  }
  t.is((await room.ownFactors.beginPasskey(person, HERE))?.rp.id, HOST);
});

test('whatever a browser sends, the verdict is a passkey or none', async (t) => {
  const { room, person, key, passkeys, ask } = await owner();
  const right = JSON.parse(key.answer(await ask()));
  const mangled = fc.oneof(
    fc.string(),
    fc.json(),
    // The right answer, but for one member that is anything at all.
    fc
      .tuple(fc.constantFrom('id', 'rawId', 'type', 'response', 'clientExtensionResults'), fc.jsonValue())
      .map(([member, value]) => JSON.stringify({ ...right, [member]: value })),
    fc
      .tuple(fc.constantFrom(...Object.keys(right.response)), fc.oneof(fc.jsonValue(), fc.base64String()))
      .map(([member, value]) => JSON.stringify({ ...right, response: { ...right.response, [member]: value } })),
  );
  await fc.assert(
    fc.asyncProperty(mangled, async (text) => {
      const verdicts = [
        await passkeys.verify(HERE, text, person),
        await passkeys.verifyAnybody(HERE, text),
        await room.ownFactors.finishPasskey(person, HERE, text, undefined),
      ];
      t.true(verdicts.every((verdict) => verdict === undefined || 'error' in verdict || 'use' in verdict));
    }),
    { numRuns: 150 },
  );
});
