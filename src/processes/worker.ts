import type { Socket } from 'node:net';
import { readSettings, SettingsError } from '../config/index.ts';
import { createLogger, type Receiving, receive } from '../http/index.ts';
import { type HeldBack, heldBack, milliseconds, Refusal, seconds } from '../lib/index.ts';
import { type Server, startServer } from '../server.ts';
import { watchFileHandles } from './file-handles.ts';
import { type Host, INIT } from './host.ts';
import type { Answers, ToWorker } from './messages.ts';
import { settlePriorities } from './priorities.ts';

/** Less than the primary waits before it ends a worker by force. */
const GRACE = seconds(8);
/** Connections that end within this are told of together. */
const TELL_WITHIN = milliseconds(50);

type Begin = Extract<ToWorker, { type: 'begin' }>;

/**
 * One of several processes: serves the connections its primary hands it, and does what that says. Signals are the
 * primary's, since a terminal or a service manager sends them to all at once. A worker without a primary ends in order.
 */
export function work({ env, args, pid, onSignal, onExit, exit, primary }: Host): void {
  let log: HeldBack | undefined;
  let door: Receiving | undefined;
  let server: Server | undefined;
  let draining = false;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) onSignal(signal, () => {});

  async function begin({ worker, document, entrance, quiet }: Begin): Promise<void> {
    try {
      const settings = readSettings(env, document.yaml, document.file);
      const output = createLogger({ level: settings.log_level, base: { worker } });
      onExit(output.flush);
      log = heldBack(output);
      if (!quiet) log.release();
      server = await startServer({
        // The ops listener is the primary's, and so is what it says of a stop.
        settings: { ...settings, ops_port: 0, shutdown_delay: 0 },
        log,
        pid,
        init: args.includes(INIT),
        warm: true,
        enter: (handler) => {
          door = receive({ ...entrance, handler });
          return door;
        },
      });
      void server.warmed.then(settlePriorities);
      watchFileHandles(log);
      // At the first start nobody else serves; later the others do, for as long as this takes.
      if (!quiet) await server.warmed;
      primary.send({ type: 'serving', issuer: server.issuer });
    } catch (error) {
      const known = error instanceof Refusal || error instanceof SettingsError;
      const why = known ? error.message : ((error as Error).stack ?? String(error));
      primary.send({ type: 'failed', why }, () => exit(1));
    }
  }

  const tellEnded = counter((connections) => primary.send({ type: 'ended', connections }));
  function take(number: number, socket: Socket | undefined): void {
    // One whose client left on the way arrives as nothing.
    socket?.once('close', tellEnded);
    primary.send({ type: 'taken', number }, () => {
      if (socket && door) door.take(socket);
      else tellEnded();
    });
  }

  async function answer(what: keyof Answers, question: number): Promise<void> {
    const ask = {
      alive: () => true as const,
      readiness: () => server?.ready(),
      metrics: () => server?.metrics.sample(),
      setup: () => server?.domain.setup.open(),
    };
    try {
      primary.send({ type: 'answer', question, value: await ask[what]?.() });
    } catch (err) {
      log?.error({ err }, `asking for the ${what} failed`);
      primary.send({ type: 'answer', question, value: undefined });
    }
  }

  async function drain(): Promise<void> {
    if (draining) return;
    draining = true;
    if (!server) return exit(0);
    try {
      await server.close(GRACE);
      primary.send({ type: 'farewell', metrics: await server.metrics.sample() }, () => exit(0));
    } catch (err) {
      log?.error({ err }, 'stopping failed');
      exit(1);
    }
  }

  primary.onGone(() => {
    log?.error({}, 'the primary process is gone: stopping');
    void drain();
  });
  primary.onMessage((message, socket) => {
    switch (message.type) {
      case 'begin':
        return void begin(message);
      case 'speak':
        return log?.release();
      case 'connection':
        return take(message.number, socket);
      case 'ask':
        return void answer(message.what, message.question);
      case 'drain':
        return void drain();
    }
  });
}

/** Counts, and tells the count soon after it changed. */
function counter(tell: (count: number) => void): () => void {
  let count = 0;
  let told = 0;
  return () => {
    count += 1;
    if (count > told + 1) return;
    setTimeout(() => {
      told = count;
      tell(count);
    }, TELL_WITHIN).unref();
  };
}
