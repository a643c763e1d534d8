import type { Settings } from '../config/index.ts';
import { createLogger } from '../http/index.ts';
import { heldBack } from '../lib/index.ts';
import { type Server, startServer } from '../server.ts';
import { listeningLine, NO_SETUP, STOPPING, setupLine } from './announce.ts';
import { watchFileHandles } from './file-handles.ts';
import { type Host, INIT } from './host.ts';
import { settlePriorities } from './priorities.ts';

/** One process that serves on a port of its own. @throws Refusal */
export async function serveAlone(
  { args, pid, print, onSignal, onExit, exit }: Host,
  settings: Settings,
): Promise<void> {
  const output = createLogger({ level: settings.log_level });
  onExit(output.flush);
  const log = heldBack(output);
  let server: Server | undefined;
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    // Nobody was answered yet. What it was at may be given up at any moment.
    if (!server) return exit(0);
    log.info({ signal }, STOPPING);
    server.close().then(
      () => exit(0),
      (err: Error) => {
        log.error({ err }, 'stopping failed');
        exit(1);
      },
    );
  };
  // Before it begins: the first process of a container is told nothing that it does not listen for. There is nobody to
  // replace it meanwhile, so that SIGHUP ends it as ever; but not in the middle of an answer.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) onSignal(signal, stop);

  server = await startServer({
    settings,
    log,
    pid,
    init: args.includes(INIT),
    warm: settings.ops_port !== 0,
  });
  void server.warmed.then(settlePriorities);
  watchFileHandles(log);

  print(listeningLine({ url: server.url, issuer: server.issuer }));
  log.release();
  // Somebody is served already, or can be once the store writes again.
  const setup = await server.domain.setup.open().catch((err: Error) => log.error({ err }, NO_SETUP));
  if (setup) print(setupLine(setup));
}
