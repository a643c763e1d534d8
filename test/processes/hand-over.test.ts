/** Connections on their way to a worker that dies: real processes, real sockets, real kills. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type Logger, milliseconds, minutes, silent } from '../../src/lib/index.ts';
import { createCrew } from '../../src/processes/crew.ts';
import { type Door, openDoor } from '../../src/processes/door.ts';
import { createMember, type Member } from '../../src/processes/member.ts';
import type { Patience } from '../../src/processes/watch.ts';
import { hammer, once } from '../support/hammer.ts';
import { until } from '../support/until.ts';

const SMALL = new URL('../support/small-worker.ts', import.meta.url).pathname;

const forked = (): ChildProcess => fork(SMALL, { serialization: 'advanced' });

/** A worker that may have so many files open and no more. */
const forkLimited = (files: number) =>
  spawn('sh', ['-c', `ulimit -n ${files}; exec "$0" "$1"`, process.execPath, SMALL], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });

interface Options {
  readonly start?: (nth: number) => ChildProcess;
  readonly patience?: Patience;
  readonly log?: Logger;
}

async function open(t: ExecutionContext, count: number, { start = forked, patience, log = silent }: Options = {}) {
  const members: Member[] = [];
  let now = 0;
  const crew = createCrew({
    count,
    log,
    ...(patience && { patience }),
    document: { file: 'postern.yaml', yaml: '' },
    // No death is near another: each is replaced at once.
    now: () => {
      now += minutes(2);
      return now;
    },
    start(document, quiet) {
      const { url, port } = door;
      const member = createMember(start(members.length), {
        worker: members.length + 1,
        document,
        entrance: { url, port },
        quiet,
      });
      members.push(member);
      return member;
    },
    onServing: () => door.retry(),
    onGone: () => {},
  });
  const door: Door = await openDoor({
    host: '127.0.0.1',
    port: 0,
    log: silent,
    give: (connection) => crew.give(connection, door.again),
  });
  t.teardown(async () => {
    await door.close();
    const gone = crew.stop();
    for (const member of members) member.kill();
    await gone;
  });
  await crew.begin();
  return { crew, url: door.url };
}

const kill = ({ pid }: Member, signal: NodeJS.Signals) => process.kill(pid!, signal);

test('what a worker was handed and had not taken when it was killed is answered by another', async (t) => {
  const { crew, url } = await open(t, 2);
  const [victim, other] = crew.serving as [Member, Member];
  // Neither answers until all have come. Half of them go to each: one is in its queue unread, the others still wait for their
  // turn here.
  for (const member of [victim, other]) kill(member, 'SIGSTOP');
  const asked = Array.from({ length: 8 }, () => once(url, { path: '/' }));
  await until(() => victim.connections === 4 && other.connections === 4);
  kill(victim, 'SIGKILL');
  kill(other, 'SIGCONT');
  const answers = await Promise.all(asked);
  t.deepEqual(
    answers.map(({ status }) => status),
    Array(8).fill(200),
  );
  t.true(answers.every(({ text }) => text !== String(victim.pid)));
  await until(() => other.connections === 0);
});

test('a worker whose line is cut before its end is heard of: connections wait, and the next one answers them', async (t) => {
  const { crew, url } = await open(t, 1);
  const [lost] = crew.serving as [Member];
  t.is((await once(url, { path: '/leave' })).text, String(lost.pid));
  const asked = once(url, { path: '/' });
  await until(() => lost.connections > 0);
  kill(lost, 'SIGKILL');
  t.is((await asked).status, 200);
});

test('a worker that hangs for good is ended, what it was handed is answered by another, and one takes its place', async (t) => {
  const errors: unknown[] = [];
  const log = { ...silent, error: (about: object, what: string) => void errors.push([about, what]) };
  const patience = { every: milliseconds(300), most: 5 };
  const { crew, url } = await open(t, 2, { patience, log });
  const [hung, well] = crew.serving as [Member, Member];
  // As long as it takes to be late a few times, and then to go on: that is no hanging.
  kill(hung, 'SIGSTOP');
  await pause(2.5 * patience.every);
  kill(hung, 'SIGCONT');
  await pause(2 * patience.every);
  t.is(crew.serving.length, 2);
  kill(hung, 'SIGSTOP');
  const asked = Array.from({ length: 4 }, () => once(url, { path: '/' }));
  const answers = await Promise.all(asked);
  t.true(answers.every(({ status, text }) => status === 200 && text !== String(hung.pid)));
  await until(() => crew.serving.length === 2 && crew.serving.every((member) => member !== hung));
  t.true(crew.serving.includes(well));
  t.deepEqual(errors, [
    [{ worker: hung.id, pid: hung.pid, silent: 2 }, 'a worker hangs: it is ended'],
    [{ worker: hung.id, pid: hung.pid, how: 'SIGKILL' }, 'a worker died'],
  ]);
});

/** Opens a connection on which nothing is asked until it is told to. */
function idle(t: ExecutionContext, url: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  return {
    close: () => socket.destroy(),
    ask: () =>
      new Promise<string>((resolve) => {
        let text = '';
        socket.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        socket.on('close', () => resolve(text));
        socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      }),
  };
}

test.serial(
  'what a worker could not take for too many open files is answered by another, and is not counted as its for ever',
  async (t) => {
    const { crew, url } = await open(t, 2, { start: (nth) => (nth === 0 ? forkLimited(60) : forked()) });
    const [limited, other] = crew.serving as [Member, Member];
    const connections = Array.from({ length: 160 }, () => idle(t, url));
    await until(() => limited.connections + other.connections === 160);
    // It answers, so it has read all that it was sent; what it has not taken it never got.
    await limited.ask('readiness');
    await until(() => other.connections > 100);
    const answers = await Promise.all(connections.map(({ ask }) => ask()));
    t.deepEqual(
      answers.filter((answer) => !answer.startsWith('HTTP/1.1 200')),
      [],
    );
    await until(() => limited.connections + other.connections === 0);
  },
);

/** What `fork` gives where this process has too many open files for one more. */
function notStarted(): ChildProcess {
  const child = Object.assign(new EventEmitter(), { pid: undefined, kill: () => false });
  process.nextTick(() => {
    child.emit('error', Object.assign(new Error('spawn node EMFILE'), { code: 'EMFILE' }));
    child.emit('close', -24, null);
  });
  return child as unknown as ChildProcess;
}

test('where there are too many open files to start a worker, it is tried again and ends nobody', async (t) => {
  const { crew, url } = await open(t, 1, { start: (nth) => (nth === 1 ? notStarted() : forked()) });
  const [first] = crew.serving as [Member];
  kill(first, 'SIGKILL');
  t.not((await once(url, { path: '/' })).text, String(first.pid));
});

test('killed again and again under load: whoever asks is answered or cut off, and waits for nobody', async (t) => {
  const { crew, url } = await open(t, 3);
  const load = hammer(url, { path: '/' }, 12, { rest: milliseconds(2) });
  for (let round = 0; round < 12; round += 1) {
    await until(() => crew.serving.length === 3);
    const before = load.replies.length;
    await until(() => load.replies.length > before + 20);
    await pause(Math.random() * 10);
    // Now one, now all.
    for (const member of crew.serving.slice(0, round % 4 === 3 ? 3 : 1)) kill(member, 'SIGKILL');
  }
  await until(() => crew.serving.length === 3);
  await load.stop();
  t.log(`${load.replies.length} answered, ${load.lost.length} cut off`);
  t.is(load.refused, 0);
  t.deepEqual(
    load.lost.filter((code) => code !== 'ECONNRESET' && code !== 'EPIPE'),
    [],
  );
  const agent = new Agent({ keepAlive: true });
  t.is((await once(url, { path: '/' }, agent)).status, 200);
  agent.destroy();
});
