import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'ava';
import { COMPILED } from '../support/environment.ts';
import { AccountBook, type Call, inWords, type Outcome } from './account-book.ts';
import { folderFor, open } from './folders.ts';
import { randomFrom } from './random.ts';

/** TEST_KILLS=… for more; `npm run prove -- kills` kills whole servers. */
const KILLS = Number(process.env['TEST_KILLS'] ?? 40);
const LONGEST_LIFE_MS = 120;

test(`kill -9 at ${KILLS} random moments of a mixed load, half of them making snapshots: nothing acknowledged is lost`, async (t) => {
  const seed = Date.now() % 1_000_000;
  t.log(`seed ${seed}`);
  const random = randomFrom(seed);
  const folder = await folderFor(t);
  const book = new AccountBook();
  let snapshots = 0;
  for (let life = 0; life < KILLS; life += 1) {
    await liveAndDie(folder, life, random, book);
    const names = await readdir(folder);
    if (names.some((name) => name.startsWith('snapshot') && name.endsWith('.new'))) snapshots += 1;
    // Most lives begin where a kill left the folder; some ends are looked at before anything else touches them.
    if (life % 10 === 9) await audit();
  }
  const verdict = await audit();
  t.log(`${KILLS} kills, ${snapshots} of them during a snapshot; ${inWords(verdict)}`);
  t.true(verdict.acknowledged > KILLS);

  async function audit() {
    const store = await open(folder);
    const found = await book.audit(store);
    await store.close();
    t.deepEqual([found.lost, found.resurrected, found.phantom], [[], [], []]);
    return found;
  }
});

async function liveAndDie(folder: string, life: number, random: () => number, book: AccountBook): Promise<void> {
  const program = join(import.meta.dirname, 'mixed-load.ts');
  const child = spawn(process.execPath, [program, folder, String(life), String(life % 2 === 0)], {
    env: { ...process.env, ...COMPILED },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const endings = new Map<number, (outcome: Outcome) => void>();
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (text) => {
    const line = JSON.parse(text) as 'open' | { number: number; call?: Call; outcome?: Outcome };
    if (line === 'open') killLater(child, random() * LONGEST_LIFE_MS);
    else if (line.call) endings.set(line.number, book.begin(line.call));
    else if (line.outcome) endings.get(line.number)!(line.outcome);
  });
  // Now and then while it starts.
  if (life % 10 === 5) killLater(child, random() * 300);
  const [code, signal] = await ended;
  if (signal !== 'SIGKILL') throw new Error(`life ${life} ended by itself, with code ${code}`);
}

function killLater(child: ChildProcess, ms: number): void {
  setTimeout(() => child.kill('SIGKILL'), ms);
}
