import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from './places.ts';

export const SUFFIX = '.interop.ts';

export interface Tally {
  passed: number;
  failed: number;
}

/** Runs them with ava and counts by name what its TAP says; what is no passed test is shown as it is. */
export async function runTests(names: readonly string[]): Promise<{ tallies: Map<string, Tally>; code: number }> {
  const files = names.map((name) => `test/interop/${name}${SUFFIX}`);
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
      const name = names.length === 1 ? names[0]! : title.split(' › ')[0]!.replace('.interop', '');
      const tally = tallies.get(name) ?? { passed: 0, failed: 0 };
      tallies.set(name, tally);
      // A test left out is no check passed.
      if (no || / # (SKIP|TODO)/.test(title)) tally.failed += 1;
      else tally.passed += 1;
    }
    if (!/^ok |^TAP |^\d+\.\.\d+$|^# |^ +#|^$/.test(line) || no) console.log(line);
  }
  const [code] = (await closed) as [number];
  return { tallies, code };
}
