import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';

interface Niceness {
  readonly main: number;
  readonly v8: readonly number[];
}

test("V8's own threads give way, the thread that answers does not", async (t) => {
  const script = new URL('../support/v8-priorities.ts', import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  const { before, after } = JSON.parse(stdout) as { before: Niceness; after: Niceness };
  t.true(after.v8.length > 0);
  t.deepEqual(
    after.v8.filter((nice) => nice !== Math.max(10, before.main)),
    [],
  );
  t.is(after.main, before.main);
});
