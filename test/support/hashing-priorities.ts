/**
 * Hashes two passwords in two threads, and prints as JSON how nice each thread of this process was before and then. A
 * process of its own: ava runs other test files, whose threads come and go, in the same one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createPasswords } from '../../src/domain/index.ts';

/** By thread id (proc_pid_stat(5), field 19). */
function niceness(): Record<string, number> {
  const stats = readdirSync('/proc/self/task').flatMap((thread): [string, number][] => {
    try {
      const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
      return [[thread, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])]];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
  return Object.fromEntries(stats);
}

const before = niceness();
const passwords = createPasswords({ workers: 2 });
await Promise.all([passwords.hash('a'), passwords.hash('b')]);
process.stdout.write(JSON.stringify({ main: String(process.pid), before, during: niceness() }));
await passwords.close();
