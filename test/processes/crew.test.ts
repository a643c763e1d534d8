import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import type { SettingsDocument } from '../../src/config/index.ts';
import { minutes, silent } from '../../src/lib/index.ts';
import { createCrew } from '../../src/processes/crew.ts';
import type { Member, Serving } from '../../src/processes/member.ts';
import { until } from '../support/until.ts';

const OLD: SettingsDocument = { file: 'postern.yaml', yaml: 'old' };
const NEW: SettingsDocument = { file: 'postern.yaml', yaml: 'new' };

/** A worker that does what the test says. */
class Worker implements Member {
  readonly #serving = Promise.withResolvers<Serving>();
  readonly #gone = Promise.withResolvers<string>();
  readonly startedAt = performance.now();
  readonly id: number;
  readonly document: SettingsDocument;
  readonly first: boolean;
  state: Member['state'] = 'starting';
  connections = 0;

  constructor(id: number, document: SettingsDocument, first: boolean) {
    this.id = id;
    this.document = document;
    this.first = first;
    this.#serving.promise.catch(() => {});
  }

  pid = undefined;
  sample = [];
  serving = this.#serving.promise;
  gone = this.#gone.promise;

  serve(): void {
    this.state = 'serving';
    this.#serving.resolve({ type: 'serving', issuer: 'http://localhost:3000' });
  }

  end(how: string): void {
    this.state = 'gone';
    this.#serving.reject(new Error(how));
    this.#gone.resolve(how);
  }

  take(): void {
    this.connections += 1;
  }

  speak(): void {}

  async ask(): Promise<undefined> {}

  drain(): void {
    this.state = 'leaving';
  }

  kill(): void {
    this.end('SIGKILL');
  }
}

async function crewOf(count: number) {
  const workers: Worker[] = [];
  const died: Member[] = [];
  /** What was logged as an error. */
  const errors: string[] = [];
  const told: string[] = [];
  const time = { at: 0 };
  const crew = createCrew({
    count,
    log: {
      ...silent,
      info: (_: object, message: string) => void told.push(message),
      error: (_: object, message: string) => void errors.push(message),
    },
    document: OLD,
    now: () => time.at,
    start(document, first) {
      const worker = new Worker(workers.length + 1, document, first);
      workers.push(worker);
      return worker;
    },
    onServing: () => {},
    onGone: (member, hasDied) => void (hasDied && died.push(member)),
  });
  const begun = crew.begin();
  for (const worker of workers) worker.serve();
  await begun;
  return { crew, workers, died, errors, told, time };
}

/** Everything that follows from what was done, timers aside. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 10; i += 1) await turn();
};

test('where the first workers do not get up, none is left, and the reason is told', async (t) => {
  const workers: Worker[] = [];
  const crew = createCrew({
    count: 3,
    log: silent,
    document: OLD,
    start(document, first) {
      const worker = new Worker(workers.length + 1, document, first);
      workers.push(worker);
      return worker;
    },
    onServing: () => {},
    onGone: () => {},
  });
  const begun = crew.begin();
  workers[0]!.serve();
  workers[1]!.end('the database is gone');
  await t.throwsAsync(begun, { message: 'the database is gone' });
  t.deepEqual([...new Set(workers.map(({ state }) => state))], ['gone']);
  await settle();
  t.is(workers.length, 3);
});

test('a connection goes to the worker with the fewest, and to none that leaves', async (t) => {
  const { crew, workers } = await crewOf(3);
  for (let i = 0; i < 7; i += 1) crew.give({} as never, () => {});
  t.deepEqual(workers.map(({ connections }) => connections).toSorted(), [2, 2, 3]);
  workers[0]!.state = 'leaving';
  workers[1]!.state = 'leaving';
  for (let i = 0; i < 5; i += 1) crew.give({} as never, () => {});
  t.true(workers[2]!.connections >= 7);
  workers[2]!.state = 'leaving';
  t.false(crew.give({} as never, () => {}));
});

test('a new one serves before an old one is told to go, one at a time', async (t) => {
  const { crew, workers } = await crewOf(2);
  crew.roll(NEW);
  await settle();
  t.is(workers.length, 3);
  t.deepEqual(workers[2]!.document, NEW);
  t.false(workers[2]!.first, '--init is for the first start alone');
  t.is(crew.serving.length, 2);
  workers[2]!.serve();
  await settle();
  t.is(workers.filter(({ state }) => state === 'leaving').length, 1);
  t.is(workers.length, 3, 'the next waits until the first is gone');
  workers[0]!.end('code 0');
  await settle();
  t.is(workers.length, 4);
  workers[3]!.serve();
  await settle();
  workers[1]!.end('code 0');
  await settle();
  t.is(workers.length, 4);
  t.is(crew.serving.length, 2);
});

test('asked to replace them while it does, it begins again with what the settings say by then', async (t) => {
  const { crew, workers } = await crewOf(1);
  crew.roll(NEW);
  await settle();
  const NEWEST = { ...NEW, yaml: 'newest' };
  crew.roll({ ...NEW, yaml: 'between' });
  crew.roll(NEWEST);
  workers[1]!.serve();
  await settle();
  workers[0]!.end('code 0');
  await settle();
  t.deepEqual(
    workers.map(({ document }) => document.yaml),
    ['old', 'new', 'newest'],
  );
});

test('one that takes the place of a dead one during a replacement is replaced too', async (t) => {
  const { crew, workers } = await crewOf(2);
  workers[0]!.end('SIGKILL');
  await settle();
  crew.roll(NEW);
  // In place of the second, and, a little later, of the first.
  await until(() => workers.length === 4);
  workers[2]!.serve();
  workers[3]!.serve();
  await settle();
  workers[1]!.end('code 0');
  await settle();
  t.is(workers.length, 5);
  workers[4]!.serve();
  await settle();
  workers[3]!.end('code 0');
  await settle();
  t.deepEqual(
    crew.serving.map((member) => (member as Worker).document),
    [NEW, NEW],
  );
});

test('where all are dead at that moment, the next ones have the settings as they are by then', async (t) => {
  const { crew, workers, told } = await crewOf(1);
  workers[0]!.end('SIGKILL');
  await settle();
  crew.roll(NEW);
  await settle();
  t.is(told.at(-1), 'no worker serves: the next to start has the new settings');
  await until(() => workers.length === 2);
  t.deepEqual(workers[1]!.document, NEW);
});

test('a new one that does not get up ends the replacement, and is no death', async (t) => {
  const { crew, workers, died } = await crewOf(2);
  crew.roll(NEW);
  await settle();
  workers[2]!.end('a setting is wrong');
  await settle();
  t.is(workers.length, 3);
  t.is(crew.serving.length, 2);
  t.deepEqual(died, []);
  // Whoever dies later is replaced by one with the settings that worked.
  workers[0]!.end('SIGKILL');
  await until(() => workers.length === 4);
  t.deepEqual(workers[3]!.document, OLD);
  t.is(died.length, 1);
});

test('each death within a minute doubles the wait for the next start', async (t) => {
  const { workers, time, died } = await crewOf(1);
  const waits: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    const endedAt = performance.now();
    workers.at(-1)!.end('SIGKILL');
    const { length } = workers;
    await until(() => workers.length > length);
    waits.push(workers.at(-1)!.startedAt - endedAt);
    workers.at(-1)!.serve();
    await settle();
  }
  t.is(died.length, 4);
  // Timers come late on a busy machine, never early.
  for (const [i, wait] of waits.entries()) t.true(wait >= 100 * 2 ** i - 5, `${waits}`);
  time.at += minutes(2);
  const { length } = workers;
  workers.at(-1)!.end('SIGKILL');
  await until(() => workers.length > length);
  t.is(workers.length, length + 1);
});

test('told to stop, it lets those that serve end in order, ends those that start, and starts none', async (t) => {
  const { crew, workers, errors } = await crewOf(2);
  workers[0]!.end('SIGKILL');
  await until(() => workers.length === 3);
  const stopped = crew.stop();
  t.is(workers[2]!.state, 'gone');
  t.is(workers[1]!.state, 'leaving');
  workers[1]!.end('code 0');
  t.true(await stopped);
  await settle();
  t.is(workers.length, 3);
  t.deepEqual(errors, ['a worker died'], 'that it ended one is no error');
});

test('told to stop while it replaces them, it ends in order, and says nothing of the one that it ended', async (t) => {
  const { crew, workers, errors } = await crewOf(1);
  crew.roll(NEW);
  await settle();
  t.is(workers[1]!.state, 'starting');
  const stopped = crew.stop();
  workers[0]!.end('code 0');
  t.true(await stopped);
  await settle();
  t.deepEqual(errors, []);
});

test('one that had to be ended by force is told of', async (t) => {
  const { crew, workers } = await crewOf(1);
  const stopped = crew.stop();
  workers[0]!.end('SIGKILL');
  t.false(await stopped);
});
