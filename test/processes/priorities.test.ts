import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';

interface Niceness {
  readonly main: number;
  readonly v8: readonly number[];
}

const script = new URL('../support/priorities.ts', import.meta.url).pathname;

/** On these cores, as taskset writes them. */
async function settledOn(cores: string): Promise<{ before: Niceness; after: Niceness }> {
  const { stdout } = await promisify(execFile)('taskset', ['-c', cores, process.execPath, script]);
  return JSON.parse(stdout) as never;
}

test("on several cores V8's own threads give way, and the thread that answers does not", async (t) => {
  const { before, after } = await settledOn('0,1');
  t.true(after.v8.length > 0);
  t.true(after.v8.every((nice) => nice === Math.max(10, before.main)));
  t.is(after.main, before.main);
});

test('on one core the thread that answers gives way a little to those that sign', async (t) => {
  const { before, after } = await settledOn('0');
  t.true(after.v8.length > 0);
  t.true(after.v8.every((nice) => nice === Math.max(10, before.main)));
  t.is(after.main, Math.min(before.main + 2, 19));
});
