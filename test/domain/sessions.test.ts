import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { createGuesses } from '../../src/domain/guesses.ts';
import { createSessions } from '../../src/domain/sessions.ts';
import { minutes, silent } from '../../src/lib/index.ts';
import { openFileStore } from '../../src/store/file/index.ts';
import type { Store } from '../../src/store/index.ts';
import { issueTo } from '../support/issued.ts';
import { memoryStore } from '../support/memory-store.ts';

test('what is issued while a person is being ended is ended as well', async (t) => {
  const kept = memoryStore();
  await issueTo(kept, 'usr_1', 'cli_1');
  let late = false;
  const store: Store = {
    ...kept,
    async commit(changes) {
      if (!late) {
        late = true;
        await issueTo(kept, 'usr_1', 'cli_2');
      }
      await kept.commit(changes);
    },
  };
  t.is(await createSessions({ store, logouts: { tellOf: async () => [] } }).endForAccount('usr_1'), 10);
  const { rows } = await kept.stats();
  t.is(rows.sessions + rows.grants + rows.authorization_codes + rows.access_tokens + rows.refresh_tokens, 0);
});

test('on the file store too, of 50 parallel guesses at a limit of 10 exactly 10 get through', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-guesses-'));
  const store = await openFileStore({ folder, clock: () => Date.now, log: silent, pid: process.pid });
  try {
    const guesses = createGuesses({ store, now: Date.now, limits: { account: 10, network: 100, window: minutes(15) } });
    const attempt = { email: 'alice@example.com', address: '192.0.2.1' };
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => guesses.begin(attempt)));
    t.is(verdicts.filter(({ allowed }) => allowed).length, 10);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
});
