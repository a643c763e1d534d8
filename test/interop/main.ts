/**
 * `npm run test:interop [name…]`: prepares what the examples need, runs their tests, prints a table, and fails when
 * anything failed or did not run.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Unprepared } from './support/command.ts';
import { packagesOf } from './support/packages.ts';
import { MADE, ROOT } from './support/places.ts';
import { needsOf, prepared } from './support/prepare.ts';
import { runTests, SUFFIX, type Tally } from './support/run-tests.ts';

const known = readdirSync(join(ROOT, 'test/interop'))
  .filter((name) => name.endsWith(SUFFIX))
  .map((name) => name.slice(0, -SUFFIX.length));

async function main(asked: readonly string[]): Promise<number> {
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Unprepared(`there is no ${unknown.join(', ')}; there are ${known.join(', ')}`);
  const names = asked.length > 0 ? asked : known;
  console.log(`# prepared in ${MADE}`);
  for (const need of needsOf(names)) {
    const startedAt = performance.now();
    await prepared(need);
    console.log(`# ${need.what}: ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  }
  const { tallies, code } = await runTests(names);
  await print(names, tallies);
  const failed = [...tallies.values()].reduce((sum, tally) => sum + tally.failed, 0);
  return code === 0 && failed === 0 && names.every((name) => tallies.has(name)) ? 0 : 1;
}

async function print(names: readonly string[], tallies: ReadonlyMap<string, Tally>): Promise<void> {
  const rows = await Promise.all(
    names.map(async (name) => {
      const { passed = 0, failed = 0 } = tallies.get(name) ?? {};
      const checks = tallies.has(name) ? `${passed} passed${failed > 0 ? `, ${failed} FAILED` : ''}` : 'DID NOT RUN';
      return [name, await packagesOf(name), checks] as const;
    }),
  );
  const table = [['example', 'packages', 'checks'] as const, ...rows];
  const widths = [0, 1].map((i) => Math.max(...table.map((row) => row[i]!.length)));
  for (const [name, packages, checks] of table)
    console.log(`${name.padEnd(widths[0]!)}  ${packages.padEnd(widths[1]!)}  ${checks}`);
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
