/** A second process: `open-once.ts FOLDER [hold]`. It says how opening the store went, and holds it when asked to. */
import { silent } from '../../src/lib/index.ts';
import { openFileStore } from '../../src/store/file/index.ts';

const [folder = '', hold] = process.argv.slice(2);
try {
  const store = await openFileStore({ folder, clock: () => Date.now, log: silent, pid: process.pid });
  process.stdout.write('open\n');
  if (hold) setInterval(() => {}, 1000);
  else await store.close();
} catch (error) {
  const { name, message } = error as Error;
  process.stdout.write(`${JSON.stringify({ name, message })}\n`);
}
