import { setTimeout as pause } from 'node:timers/promises';
import { readDocument, type Settings, type SettingsDocument } from '../config/index.ts';
import { createLogger } from '../http/log.ts';
import { type Readiness, serveOps, WARMING_UP } from '../http/ops.ts';
import { heldBack, seconds } from '../lib/index.ts';
import { listeningLine, STOPPING, setupLine } from './announce.ts';
import { createCrew } from './crew.ts';
import { type Door, openDoor } from './door.ts';
import { watchFileHandles } from './file-handles.ts';
import { forkWorker } from './fork.ts';
import { type Host, INIT } from './host.ts';
import { createMember } from './member.ts';
import { createTotals } from './totals.ts';

/**
 * How long the others are waited for once one has said that it can serve. A balancer asks with little patience, and would
 * leave all of them for one that hangs.
 */
const OTHERS_WITHIN = seconds(0.25);

/**
 * The process in front of several workers. SIGTERM and SIGINT end them all, SIGHUP replaces them one after the other:
 * with the program and the settings as they are by then.
 * @throws Refusal when a port is taken, or the first workers do not get up.
 */
export async function lead(host: Host, settings: Settings, document: SettingsDocument): Promise<void> {
  const { env, args, print, onSignal, onExit, exit, script } = host;
  const output = createLogger({ level: settings.log_level });
  onExit(output.flush);
  const log = heldBack(output);
  watchFileHandles(log);
  let draining = false;
  let number = 0;
  const crew = createCrew({
    count: settings.workers,
    log,
    document,
    start(from, first) {
      number += 1;
      // --init is for the first start alone: it must not begin anew what is lost later.
      const child = forkWorker(script, first ? args : args.filter((arg) => arg !== INIT));
      const { url, port } = door;
      return createMember(child, { worker: number, document: from, entrance: { url, port }, quiet: first });
    },
    onServing: () => door.retry(),
    onGone(member, died) {
      if (died) totals.workerDied();
      totals.keep(member.sample).catch((err: Error) => log.error({ err }, 'the metrics of a worker are lost'));
    },
  });
  const totals = createTotals({ serving: () => crew.serving.length });

  const door: Door = await openDoor({
    host: settings.host,
    port: settings.port,
    log,
    give: (connection) => crew.give(connection, door.again),
  });
  const ops = await serveOps({
    host: settings.ops_host,
    port: settings.ops_port,
    ready,
    draining: () => draining,
    metrics: { render: metrics },
    logger: log,
  });

  /** One that can serve is enough: connections go round the others. But not round one that is still warming up. */
  async function ready(): Promise<Readiness> {
    const answers: Readiness[] = [];
    const first = Promise.withResolvers<void>();
    const all = crew.serving.map(async (member) => {
      const answer = await member.ask('readiness');
      if (answer) answers.push(answer);
      if (answer?.ok) first.resolve();
    });
    await Promise.race([Promise.all(all), first.promise.then(() => pause(OTHERS_WITHIN))]);
    const able = answers.filter(({ ok }) => ok);
    const warming = answers.find(({ checks }) => checks['server'] === WARMING_UP);
    const told = warming ?? able[0] ?? answers[0];
    return {
      ok: able.length > 0 && !warming,
      checks: { ...(told?.checks ?? { store: 'nobody can say' }), workers: `${able.length} of ${settings.workers}` },
    };
  }

  async function metrics() {
    const serving = crew.serving;
    await Promise.all(serving.map((member) => member.ask('metrics')));
    // One that did not answer is counted as it was.
    return totals.render(serving.map(({ sample }) => sample));
  }

  async function stop(signal: NodeJS.Signals): Promise<void> {
    if (draining) return;
    draining = true;
    log.info({ signal }, STOPPING);
    if (settings.shutdown_delay > 0) await pause(settings.shutdown_delay);
    await door.close();
    const inOrder = await crew.stop();
    if (!inOrder) log.error({}, 'a worker did not end in order');
    await ops?.close({ grace: 0 });
    exit(inOrder ? 0 : 1);
  }

  function replace(): void {
    try {
      const next = readDocument(env);
      log.info({}, 'replacing the workers one by one');
      crew.roll(next);
    } catch (error) {
      log.error({ err: (error as Error).message }, 'the workers are not replaced');
    }
  }

  onSignal('SIGTERM', (signal) => void stop(signal));
  onSignal('SIGINT', (signal) => void stop(signal));
  onSignal('SIGHUP', replace);

  const first = await crew.begin().catch((error: unknown) => {
    // Told to stop before it began: stop() exits.
    if (!draining) throw error;
  });
  if (!first) return;
  const { issuer } = first;
  print(listeningLine({ url: door.url, issuer, workers: settings.workers }));
  log.release();
  crew.speak();
  const setup = await crew.serving[0]?.ask('setup');
  if (setup) print(setupLine(setup));
}
