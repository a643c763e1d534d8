import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { type Duration, Refusal, seconds } from '../lib/index.ts';
import type { Answers, FromWorker, Sample, ToWorker } from './messages.ts';

/** A start may wait for another process that migrates the database, for a minute. */
const STARTS_WITHIN = seconds(120);
/** A little longer than the store takes to say that it cannot be reached. */
const ANSWERS_WITHIN = seconds(6);
/** A worker gives requests eight seconds, then lets go of the store. */
const ENDS_WITHIN = seconds(10);

export type Begin = Omit<Extract<ToWorker, { type: 'begin' }>, 'type'>;
export type Serving = Extract<FromWorker, { type: 'serving' }>;

/** One worker, as its primary sees it. */
export interface Member {
  readonly id: number;
  readonly pid: number | undefined;
  /** Rejects with a Refusal that says why it did not get up. */
  readonly serving: Promise<Serving>;
  /** How it ended: `code 1`, `SIGKILL`. */
  readonly gone: Promise<string>;
  readonly state: 'starting' | 'serving' | 'leaving' | 'gone';
  /** Connections it was handed and that have not ended. */
  readonly connections: number;
  /** The last metrics it told. */
  readonly sample: Sample;
  /** Hands it a connection; gives it back, unread, where the worker ended before it took it. */
  take(connection: Socket, back: (connection: Socket) => void): void;
  speak(): void;
  /** Undefined where it does not answer in time. */
  ask<Q extends keyof Answers>(what: Q, patience?: Duration): Promise<Answers[Q] | undefined>;
  /** After the connections it was handed; it is ended by force where that takes too long. */
  drain(): void;
  kill(): void;
}

interface UnderWay {
  readonly connection: Socket;
  readonly back: (connection: Socket) => void;
  readonly onClose: () => void;
}

/** A worker in a process that was just forked. */
export function createMember(child: ChildProcess, begin: Begin): Member {
  const serving = Promise.withResolvers<Serving>();
  const gone = Promise.withResolvers<string>();
  const questions = new Map<number, { answer(value: never): void; readonly handed: number }>();
  /** Handed over by number, and perhaps not arrived: this process keeps them too until the worker says that it has them. */
  const underWay = new Map<number, UnderWay>();
  let state: Member['state'] = 'starting';
  let handed = 0;
  let taken = 0;
  let ended = 0;
  let asked = 0;
  let sample: Sample = [];
  let failure: string | undefined;
  serving.promise.catch(() => {});

  const kill = () => void child.kill('SIGKILL');
  /** Where there are too many open files to start a process, Node gives one that has no line. */
  const send = (message: ToWorker) => void (child.connected && child.send(message, () => {}));
  const late = setTimeout(() => {
    failure = `it was not ready within ${STARTS_WITHIN / seconds(1)} seconds`;
    kill();
  }, STARTS_WITHIN);

  function end(how: string): void {
    state = 'gone';
    clearTimeout(late);
    serving.reject(new Refusal('worker_failed', failure ?? `a worker ended before it could serve (${how})`));
    for (const [number, lost] of underWay) giveBack(number, lost);
    for (const { answer } of questions.values()) answer(undefined as never);
    gone.resolve(how);
  }

  /**
   * It has read all that was sent up to this connection. One before it that it does not have was lost on the way: where a
   * process has too many open files, a connection that is sent to it is dropped, and nobody is told.
   */
  function hasRead(number: number): void {
    for (const [before, lost] of underWay) {
      if (before > number) return;
      giveBack(before, lost);
    }
  }

  function giveBack(number: number, { connection, back, onClose }: UnderWay): void {
    underWay.delete(number);
    connection.off('close', onClose);
    if (!connection.destroyed) back(connection);
  }
  child.on('exit', () => {
    state = 'gone';
  });
  // After `exit`, and after all that the worker said: only then is it known which connections it never took.
  child.on('close', (code, signal) => end(signal ?? `code ${code}`));
  child.on('error', ({ message }) => end(message));

  child.on('message', (message: FromWorker) => {
    switch (message.type) {
      case 'serving':
        clearTimeout(late);
        if (state === 'starting') state = 'serving';
        return serving.resolve(message);
      case 'failed':
        failure = message.why;
        return;
      case 'taken':
        taken += 1;
        underWay.get(message.number)?.connection.destroy();
        underWay.delete(message.number);
        return hasRead(message.number);
      case 'ended':
        ended = message.connections;
        return;
      case 'answer': {
        const question = questions.get(message.question);
        if (question) hasRead(question.handed);
        return question?.answer(message.value as never);
      }
      case 'farewell':
        sample = message.metrics;
    }
  });
  send({ type: 'begin', ...begin });

  async function ask<Q extends keyof Answers>(what: Q, patience = ANSWERS_WITHIN): Promise<Answers[Q] | undefined> {
    asked += 1;
    const question = asked;
    const answer = await within(
      patience,
      new Promise<Answers[Q] | undefined>((answer) => {
        questions.set(question, { answer, handed });
        child.send({ type: 'ask', what, question } satisfies ToWorker, (error) => error && answer(undefined));
      }),
    );
    questions.delete(question);
    if (what === 'metrics' && answer) sample = answer as Sample;
    return answer;
  }

  /** Its client waited in vain. The answer, if there is one, shows what was lost; while there is none it counts, so that a worker that hangs is handed little. */
  let looking = false;
  async function givenUp(number: number): Promise<void> {
    if (looking || !underWay.has(number)) return;
    looking = true;
    await ask('readiness');
    looking = false;
  }

  return {
    id: begin.worker,
    pid: child.pid,
    serving: serving.promise,
    gone: gone.promise,
    get state() {
      return state;
    },
    get connections() {
      return underWay.size + taken - ended;
    },
    get sample() {
      return sample;
    },

    take(connection, back) {
      handed += 1;
      const number = handed;
      const onClose = () => void givenUp(number);
      underWay.set(number, { connection, back, onClose });
      connection.once('close', onClose);
      // Of what cannot be sent nothing is said here: its worker ends, and all it has not taken comes back then.
      child.send({ type: 'connection', number } satisfies ToWorker, connection, { keepOpen: true }, () => {});
    },

    speak: () => send({ type: 'speak' }),

    ask,

    drain() {
      if (state === 'gone' || state === 'leaving') return;
      state = 'leaving';
      send({ type: 'drain' });
      const force = setTimeout(kill, ENDS_WITHIN);
      void gone.promise.then(() => clearTimeout(force));
    },

    kill,
  };
}

async function within<T>(time: Duration, answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), time);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
