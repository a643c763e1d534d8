/** A part as a test of `npm cit`: the same function with small numbers. */
import test from 'ava';
import { type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { type Part, prove, seedOfRun } from './part.ts';
import { SET_UPS } from './set-ups.ts';

export function inShort(part: Part): void {
  let starting: Promise<DatabaseServer> | undefined;
  const databases = (): Promise<DatabaseServer> => {
    starting ??= startDatabaseServer();
    return starting;
  };
  test.after.always(async () => (await starting)?.remove());
  for (const setUp of part.inShort ?? part.setUps) {
    test.serial(`${part.promise}: ${SET_UPS[setUp]}`, async (t) => {
      const seed = seedOfRun();
      const findings = await prove(part, part.short, { setUp, seed, databases, say: (text) => t.log(text) });
      for (const { fact, figure, held, detail } of findings) {
        t.log(`${fact}: ${figure}`);
        if (!held) t.log(`PROVE_SEED=${seed}\n${detail ?? ''}`);
        t.true(held, `${fact}: ${figure}`);
      }
    });
  }
}
