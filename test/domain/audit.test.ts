import test from 'ava';
import { auditEvent } from '../../src/domain/audit.ts';
import { testDomain } from '../support/domain.ts';

const APP = { name: 'Shop', type: 'service' } as const;

test('whose doing it was stands in every event of it, and in no other', async (t) => {
  const { domain } = testDomain();
  const [over, later] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const [mine, ours] = await Promise.all([
    domain.audit.actingAs({ by: 'usr_1' }, async () => {
      const { client } = await domain.clients.add(APP);
      void over.promise.then(async () => {
        await domain.clients.rotateSecret(client.id, { keepOldFor: undefined });
        later.resolve();
      });
      return domain.clients.update(client.id, { name: 'Shops' }).then(() => client.id);
    }),
    domain.audit.actingAs({ by_client: 'cli_1' }, async () => (await domain.clients.add(APP)).client.id),
  ]);
  over.resolve();
  await later.promise;
  const { client: nobodys } = await domain.clients.add(APP);
  const told = (await Array.fromAsync(domain.audit.events())).map(({ type, clientId, details }) => [
    { [mine]: 'mine', [ours]: 'ours', [nobodys.id]: 'nobody’s' }[clientId ?? ''],
    type,
    details['by'] ?? details['by_client'],
  ]);
  t.deepEqual(
    told.toSorted((a, b) => a.join().localeCompare(b.join())),
    [
      ['mine', 'client.added', 'usr_1'],
      ['mine', 'client.secret_rotated', undefined],
      ['mine', 'client.updated', 'usr_1'],
      ['nobody’s', 'client.added', undefined],
      ['ours', 'client.added', 'cli_1'],
    ],
  );
});

test('a search gives what is of a kind in pages that miss nothing, give nothing twice and hold no more than was asked for', async (t) => {
  const { domain, time } = testDomain();
  const { client } = await domain.clients.add(APP);
  for (let n = 0; n < 30; n++) {
    time.at += 1;
    await domain.clients.update(client.id, { name: `Shop ${n}` });
    if (n % 3 === 0) await domain.accounts.add({ email: `n${n}@example.com` });
  }
  const pagesOf = async (type: string | undefined, most: number) => {
    const pages: string[][] = [];
    let after: string | undefined;
    do {
      const { events, next } = await domain.audit.search({ type, after, limit: 4, most });
      pages.push(events.map(({ id }) => id));
      after = next;
    } while (after !== undefined);
    return pages;
  };
  for (const [type, number] of [
    [undefined, 41],
    ['account', 10],
    ['client.updated', 30],
    ['clien', 0],
  ] as const)
    for (const most of [4, 5000]) {
      const pages = await pagesOf(type, most);
      t.is(new Set(pages.flat()).size, number, `${type} ${most}`);
      t.is(pages.flat().length, number);
      t.deepEqual(pages.flat(), pages.flat().toSorted(), 'the newest first');
      t.true(
        pages.every((page) => page.length <= 4),
        'no more than was asked for',
      );
      const full = Math.ceil((most === 4 ? 41 : number) / 4);
      t.is(pages.length, Math.max(1, full), 'as many as it takes, and none behind the last');
    }
});

test('whoever reads all that happened keeps nobody else waiting for longer than a page of it', async (t) => {
  const { domain, store } = testDomain();
  await store.commit(Array.from({ length: 2600 }, (_, i) => auditEvent(Date.now() - i, 'session.started', {})));
  let turns = 0;
  let turn = setImmediate(function next() {
    turns += 1;
    turn = setImmediate(next);
  });
  t.is((await Array.fromAsync(domain.audit.events())).length, 2600);
  t.true(turns >= 5, `${turns}`);
  turns = 0;
  t.deepEqual(await domain.audit.search({ type: 'rare', limit: 50 }), { events: [] });
  clearImmediate(turn);
  t.true(turns >= 5, `${turns}`);
});
