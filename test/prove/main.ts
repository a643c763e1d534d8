/**
 * `npm run prove`: every part in full, in every set-up, each written into the table of docs/reliability.md when it is over.
 * `npm run prove -- kills` does one part, `kills@file` one part in one set-up. PROVE_SEED=… draws the same again.
 */
import { type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { type Part, prove, seedOfRun } from './part.ts';
import { PARTS } from './parts.ts';
import { publish, published, render } from './results.ts';
import { SET_UPS, type SetUp } from './set-ups.ts';

const wanted = process.argv.slice(2);

const isWanted = ({ name }: Part, setUp: SetUp): boolean =>
  wanted.length === 0 || wanted.includes(name) || wanted.includes(`${name}@${setUp}`);

let held = true;
for (const part of PARTS) {
  for (const setUp of part.setUps) if (isWanted(part, setUp)) held = (await run(part, setUp)) && held;
}
process.stdout.write(`\n${render(PARTS, published())}\n`);
process.exit(held ? 0 : 1);

async function run(part: Part, setUp: SetUp): Promise<boolean> {
  const seed = seedOfRun();
  const began = performance.now();
  process.stdout.write(`\n${part.name}, ${SET_UPS[setUp]}, PROVE_SEED=${seed}\n`);
  let server: Promise<DatabaseServer> | undefined;
  const databases = (): Promise<DatabaseServer> => {
    server ??= startDatabaseServer({ durable: true });
    return server;
  };
  try {
    const findings = await prove(part, part.full, {
      setUp,
      seed,
      databases,
      say: (line) => process.stdout.write(`    ${line}\n`),
    });
    for (const { fact, figure, held: good, detail } of findings)
      process.stdout.write(`  ${good ? '✔' : '✘'} ${fact}: ${figure}\n${good ? '' : `${detail}\n`}`);
    process.stdout.write(`  ${Math.round((performance.now() - began) / 1000)} s\n`);
    publish(PARTS, part, setUp, findings);
    return findings.every((finding) => finding.held);
  } finally {
    await (await server)?.remove();
  }
}
