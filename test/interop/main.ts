/**
 * `npm run test:interop [example…]`: prepares what the examples need, runs their tests, prints a table, and fails when a
 * check fails.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packagesOf } from './support/packages.ts';
import { ROOT } from './support/places.ts';
import { findTools, prepareNode, preparePython, prepareRust, Unprepared } from './support/prepare.ts';

const SUFFIX = '.interop.ts';

interface Tally {
  passed: number;
  failed: number;
}

const known = readdirSync(join(ROOT, 'test/interop'))
  .filter((name) => name.endsWith(SUFFIX))
  .map((name) => name.slice(0, -SUFFIX.length));

async function main(asked: readonly string[]): Promise<number> {
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Unprepared(`there is no ${unknown.join(', ')}; there are ${known.join(', ')}`);
  await findTools();
  for (const [what, prepare] of [
    ['Python packages', preparePython],
    ['a cargo build', prepareRust],
    ['npm packages', prepareNode],
  ] as const) {
    const startedAt = performance.now();
    await prepare();
    console.log(`# ${what}: ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  }
  const examples = asked.length > 0 ? asked : known;
  const { tallies, code } = await runTests(examples);
  await print(examples, tallies);
  const failed = [...tallies.values()].reduce((sum, tally) => sum + tally.failed, 0);
  return code === 0 && failed === 0 && tallies.size === examples.length ? 0 : 1;
}

/** Runs them with ava and counts by file what its TAP says; what is no passed test is shown as it is. */
async function runTests(examples: readonly string[]): Promise<{ tallies: Map<string, Tally>; code: number }> {
  const files = examples.map((name) => `test/interop/${name}${SUFFIX}`);
  const ava = join(ROOT, 'node_modules/.bin/ava');
  const child = spawn(process.execPath, [ava, '--config', 'ava.interop.config.js', '--tap', ...files], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const tallies = new Map<string, Tally>();
  const closed = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) {
    const [, no, title = ''] = /^(not )?ok \d+ - (.*)$/.exec(line) ?? [];
    if (title !== '') {
      const name = examples.length === 1 ? examples[0]! : title.split(' › ')[0]!.replace('.interop', '');
      const tally = tallies.get(name) ?? { passed: 0, failed: 0 };
      tallies.set(name, tally);
      if (no) tally.failed += 1;
      else tally.passed += 1;
    }
    if (!/^ok |^TAP |^\d+\.\.\d+$|^# |^ +#|^$/.test(line) || no) console.log(line);
  }
  const [code] = (await closed) as [number];
  return { tallies, code };
}

async function print(examples: readonly string[], tallies: ReadonlyMap<string, Tally>): Promise<void> {
  const rows = await Promise.all(
    examples.map(async (name) => {
      const { passed = 0, failed = 0 } = tallies.get(name) ?? {};
      const checks = tallies.has(name) ? `${passed} passed${failed > 0 ? `, ${failed} FAILED` : ''}` : 'DID NOT RUN';
      return [name, checks, await packagesOf(name)] as const;
    }),
  );
  const widths = [0, 1].map((i) => Math.max(...rows.map((row) => row[i]!.length), 10));
  for (const row of [['example', 'checks', 'packages'] as const, ...rows])
    console.log(`${row[0].padEnd(widths[0]!)}  ${row[1].padEnd(widths[1]!)}  ${row[2]}`);
  const sum = (of: keyof Tally): number => [...tallies.values()].reduce((total, tally) => total + tally[of], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Unprepared)) throw error;
  console.error(`test:interop: ${error.message}`);
  process.exitCode = 1;
}
