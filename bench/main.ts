/**
 * bench: `npm run bench`: what this server does, as a share of what the machine can do, measured in the same run.
 *
 * It starts the real server as an operator does, and asks it from other processes. It changes nothing outside temporary
 * folders, and nothing in src/ knows of it. Names, or parts of them, choose rows: `npm run bench -- jwks refresh`.
 */
import { killAll } from './cores.ts';
import { rows } from './rows/index.ts';
import { type Line, table } from './table.ts';

const asked = process.argv.slice(2);
const chosen = rows.filter(({ name }) => asked.length === 0 || asked.some((part) => name.includes(part)));
if (chosen.length === 0) {
  process.stderr.write(`there are these rows: ${rows.map(({ name }) => name).join(', ')}\n`);
  process.exit(1);
}

process.on('exit', killAll);
process.on('SIGINT', () => process.exit(130));

const lines: Line[] = [];
for (const { name, measure } of chosen) {
  const begun = performance.now();
  process.stderr.write(`${name} … `);
  try {
    lines.push(...(await measure()));
    process.stderr.write(`${Math.round((performance.now() - begun) / 1000)} s\n`);
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`${(error as Error).stack}\n`);
  }
}
process.stdout.write(`${table(lines)}\n`);
process.exit();
