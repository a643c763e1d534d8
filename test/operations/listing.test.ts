import test from 'ava';
import { Refusal } from '../../src/lib/index.ts';
import { perform } from '../../src/operations/index.ts';
import { testDomain } from '../support/domain.ts';

interface Page {
  readonly items: readonly { readonly client_name: string }[];
  readonly next?: string;
}

test('page follows page until every item was given once, as the whole list gives them', async (t) => {
  const { domain } = testDomain();
  for (let i = 0; i < 7; i += 1) await domain.clients.add({ name: `app ${i}`, type: 'service' });
  const given = [];
  let next: string | undefined;
  do {
    const page = (await perform(domain as never, 'client.page', { limit: 3, ...(next && { after: next }) })) as Page;
    given.push(page.items.length);
    given.push(...page.items.map(({ client_name }) => client_name));
    ({ next } = page);
  } while (next);
  t.deepEqual(
    given.filter((each) => typeof each === 'number'),
    [3, 3, 1],
  );
  const all = (await perform(domain as never, 'client.list', {})) as Page['items'];
  t.deepEqual(
    given.filter((each) => typeof each === 'string'),
    all.map(({ client_name }) => client_name),
  );
});

test('a page of none, of too many or of no number is refused', async (t) => {
  const { domain } = testDomain();
  for (const limit of [0, -1, 1001, 1.5, '3'])
    t.is(
      (await t.throwsAsync<Refusal>(perform(domain as never, 'client.page', { limit }), { instanceOf: Refusal }))?.code,
      'arguments_invalid',
    );
});

test('a list that is given whole keeps nobody waiting for longer than a page of it', async (t) => {
  const { domain, store } = testDomain();
  const { id: _, ...record } = await domain.accounts.add({ email: 'ada@example.com' });
  for (const at of [0, 1, 2, 3])
    await store.commit(
      Array.from({ length: 1000 }, (_, i) => ({ put: 'accounts' as const, id: `usr_${at}_${i}`, record })),
    );
  let turns = 0;
  let turn = setImmediate(function next() {
    turns += 1;
    turn = setImmediate(next);
  });
  t.is(((await perform(domain as never, 'user.list', {})) as unknown[]).length, 4001);
  clearImmediate(turn);
  t.true(turns >= 4, `${turns}`);
});
