/** What happens to a person at the very moment in which an application refreshes their tokens. */
import test from 'ava';
import * as oidc from 'openid-client';
import type { Domain } from '../../src/domain/index.ts';
import { authorize } from '../support/client.ts';
import { send } from '../support/hostile.ts';
import { addClient, addPerson, type Postern, startPostern } from '../support/postern.ts';
import { basic } from '../support/program-requests.ts';
import { shortWaysOf } from '../support/short-ways.ts';

let postern: Postern;
test.before(async () => {
  postern = await startPostern();
});
test.after.always(() => postern.close());

let count = 0;

/** Somebody who is signed in to two applications, and what the first one gets that refreshes while something happens to them. */
async function meeting(
  t: Parameters<typeof shortWaysOf>[0],
  happens: (id: string, domain: Domain) => Promise<unknown>,
) {
  const { domain, store } = postern;
  const email = `somebody-${++count}@example.com`;
  const person = await addPerson(postern, email);
  const { id } = person;
  const [client, other] = [await addClient(postern), await addClient(postern)];
  const { agent, tokens } = await authorize(postern, client, {}, undefined, email);
  const beside = await authorize(postern, other, {}, agent);
  await domain.factors.addTotp(person, 'JBSWY3DPEHPK3PXP', 1, undefined, { remove: 'challenges', id: 'none' });
  const { url } = await shortWaysOf(t, {
    ...postern,
    store: {
      ...store,
      get: store.get.bind(store),
      find: store.find.bind(store),
      async commit(changes) {
        await happens(id, domain);
        await store.commit(changes);
      },
    },
  });
  const refreshed = await send(url, {
    method: 'POST',
    path: '/token',
    headers: {
      authorization: basic({ id: client.id, secret: client.secret! }),
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: `grant_type=refresh_token&refresh_token=${tokens.refresh_token}`,
  });
  const goesOn = await oidc.refreshTokenGrant(beside.config, beside.tokens.refresh_token!).then(
    () => true,
    () => false,
  );
  return { status: refreshed.status, goesOn };
}

async function changeEmail(id: string, { accounts, links, recovery }: Domain): Promise<void> {
  const person = (await accounts.get(id))!;
  const email = `new-${person.email}`;
  const { secret, changes } = await links.issue({ purpose: 'change-email', person, email });
  await postern.store.commit(changes);
  await recovery.changeEmail(secret);
}

const removeFactor = async (id: string, { factors }: Domain) =>
  factors.remove(id, (await factors.list(id))[0]!.id, { evenLast: true });

for (const [fact, happens] of [
  ['has another address', changeEmail],
  ['has a factor less', removeFactor],
] as const)
  test.serial(`somebody who ${fact} that moment stays signed in`, async (t) => {
    t.deepEqual(await meeting(t, happens), { status: 200, goesOn: true });
  });

for (const [fact, happens] of [
  ['has another password', (id, { accounts }) => accounts.setPassword(id, 'quite another long one 88')],
  ['is disabled', (id, { accounts }) => accounts.setDisabled(id, true)],
  ['is signed out by an operator', (id, { accounts }) => accounts.signOut(id)],
  ['becomes an operator', (id, { accounts }) => accounts.update(id, { admin: true })],
  ['has lost all factors', (id, { factors }) => factors.reset(id)],
  ['is removed', (id, { accounts }) => accounts.remove(id)],
] satisfies [string, (id: string, domain: Domain) => Promise<unknown>][])
  test.serial(`somebody who ${fact} that moment is signed out everywhere`, async (t) => {
    t.deepEqual(await meeting(t, happens), { status: 418, goesOn: false });
  });
