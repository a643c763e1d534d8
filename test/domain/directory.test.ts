import test from 'ava';
import { testDomain } from '../support/domain.ts';

const emails = ({ people }: { readonly people: readonly { readonly email: string }[] }) =>
  people.map(({ email }) => email).toSorted();

test('a domain is found as people write it, however it came', async (t) => {
  const { domain } = testDomain();
  await domain.accounts.add({ email: 'ada@xn--bcher-kva.example' });
  await domain.accounts.add({ email: 'eve@bucher.example' });
  for (const text of ['bücher', 'BU\u0308CHER.exa', 'ada@xn--bcher-kva.example', '@büch'])
    t.deepEqual(emails(await domain.directory.matching(text, { limit: 5 })), ['ada@xn--bcher-kva.example'], text);
});

test('who came with an import that is not done is nobody yet', async (t) => {
  const { domain, store, now } = testDomain();
  const { id: _, ...record } = await domain.accounts.add({ email: 'ada@example.com' });
  await store.commit([
    { put: 'imports', id: 'imp_1', record: { state: 'open', leaseUntil: now() + 1000, work: {} } },
    { put: 'accounts', id: 'usr_1', record: { ...record, email: 'adam@example.com', importId: 'imp_1' } },
    { put: 'emails', id: 'adam@example.com', record: { accountId: 'usr_1', importId: 'imp_1' } },
  ]);
  t.deepEqual(emails(await domain.directory.matching('ada', { limit: 5 })), ['ada@example.com']);
  t.deepEqual(emails({ people: await domain.directory.startingWith('ada', 5) }), ['ada@example.com']);
});

test('looking ends where as many were looked through as may be, and goes on there', async (t) => {
  const { domain } = testDomain();
  for (let n = 0; n < 10; n += 1) await domain.accounts.add({ email: `p${n}@example.com` });
  const found: string[] = [];
  let after: string | undefined;
  let pages = 0;
  do {
    const page = await domain.directory.matching('p', { limit: 4, most: 3, after });
    t.true(page.people.length <= 3);
    found.push(...emails(page));
    after = page.next;
    pages += 1;
  } while (after !== undefined);
  t.is(pages, 4);
  t.is(new Set(found).size, 10);
  t.is(found.length, 10);
});
