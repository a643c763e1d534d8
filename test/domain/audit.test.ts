import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { testDomain } from '../support/domain.ts';

const APP = { name: 'Shop', type: 'service' } as const;

test('whose doing it was stands in every event of it, and in no other', async (t) => {
  const { domain } = testDomain();
  const later = Promise.withResolvers<void>();
  const [mine, ours] = await Promise.all([
    domain.audit.actingAs({ by: 'usr_1' }, async () => {
      const { client } = await domain.clients.add(APP);
      void pause(20).then(async () => {
        await domain.clients.rotateSecret(client.id, { keepOldFor: undefined });
        later.resolve();
      });
      return domain.clients.update(client.id, { name: 'Shops' }).then(() => client.id);
    }),
    domain.audit.actingAs({ by_client: 'cli_1' }, async () => (await domain.clients.add(APP)).client.id),
  ]);
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
