/** Prints as JSON how nice this process's main thread and V8's threads were before they were settled and then. */
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { settlePriorities } from '../../src/processes/priorities.ts';

const niceness = () => {
  const threads = readdirSync('/proc/self/task');
  const v8 = threads.filter((thread) => readFileSync(`/proc/self/task/${thread}/comm`, 'utf8') === 'V8Worker\n');
  return { main: getPriority(process.pid), v8: v8.map((thread) => getPriority(Number(thread))) };
};
const before = niceness();
settlePriorities();
process.stdout.write(JSON.stringify({ before, after: niceness() }));
