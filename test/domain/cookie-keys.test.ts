import test from 'ava';
import { openCookieKeys } from '../../src/domain/cookie-keys.ts';
import { days, minutes, seconds } from '../../src/lib/index.ts';
import { SEALING_KEY } from '../support/domain.ts';
import { memoryStore } from '../support/memory-store.ts';

const PROCESSES = 5;

test('of several processes one makes the first key and one rotates it, and all know the next one before it signs', async (t) => {
  let at = Date.UTC(2026, 0, 1);
  const now = () => at;
  const store = memoryStore(now);
  const open = () =>
    openCookieKeys({ store, now, sealingKey: SEALING_KEY, rotateAfter: days(30), verifyFor: days(30) });
  const processes = await Promise.all(Array.from({ length: PROCESSES }, open));
  const tickAll = () => Promise.all(processes.map(({ tick }) => tick()));
  // Of those that lost the race some read before the winner wrote; they hear of it.
  await tickAll();
  const signing = () => [...new Set(processes.map(({ current }) => current()[0]))];
  const [first] = signing();
  t.deepEqual(signing(), [first]);
  t.deepEqual(processes[0]!.current(), [first!]);

  at += days(30);
  await tickAll();
  await tickAll();
  for (const { current } of processes) {
    t.is(current().length, 2, 'one new key, known to each');
    t.is(current()[0], first, 'that signs nothing yet');
  }
  at += minutes(1) + seconds(1);
  const [second] = signing();
  t.deepEqual(signing(), [second]);
  t.not(second, first);
  for (const { current } of processes) t.is(current()[1], first, 'and what the old one signed is good still');
});
