#!/usr/bin/env node
/** `npm start`: the server in a process of its own. Here and in cli/ alone is `process` spoken of. */
import { loadSettings, SettingsError } from './config/index.ts';
import { createLogger } from './http/index.ts';
import { heldBack, Refusal } from './lib/index.ts';
import { startServer } from './server.ts';

try {
  const settings = loadSettings(process.env);
  const logger = createLogger({ level: settings.log_level });
  const log = heldBack(logger);
  const server = await startServer({ settings, log, pid: process.pid, init: process.argv.includes('--init') });
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping: answering what was asked');
    server.close().then(
      () => process.exit(0),
      (err: Error) => {
        log.error({ err }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  // Scripts wait for this line, so it is the first, whatever the level.
  process.stdout.write(
    `${JSON.stringify({ level: 'info', time: new Date().toISOString(), msg: 'listening', url: server.url, issuer: server.issuer })}\n`,
  );
  log.release();
  if ((await server.domain.accounts.list({ limit: 1 })).people.length === 0) {
    log.info({}, 'nobody can sign in yet: add a person with  npx postern user add EMAIL');
  }
} catch (error) {
  const known = error instanceof Refusal || error instanceof SettingsError;
  process.stderr.write(`${known ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exit(1);
}
