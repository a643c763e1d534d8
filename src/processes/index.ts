/**
 * processes: how many processes serve on the one port, how they begin, are replaced, and end.
 *
 * One alone serves by itself. Several have a primary, which serves nothing: it owns the port and the ops listener, hands
 * each connection to one of its workers, and keeps their number. This room knows nothing of requests; what a process
 * serves is server.ts. It never touches `process`: main.ts hands over what is needed of it.
 */
import { readDocument, readSettings } from '../config/index.ts';
import { Refusal } from '../lib/index.ts';
import { WORKER } from './fork.ts';
import { type Host, INIT } from './host.ts';

export type { Host } from './host.ts';

/**
 * Runs this process in its role until it is told to end. What a role needs is loaded with it, so that a primary stays
 * small.
 * @throws Refusal or SettingsError in words for the operator when it cannot start.
 */
export async function run(host: Host): Promise<void> {
  if (host.args.includes(WORKER)) return (await import('./worker.ts')).work(host);
  const strange = host.args.find((arg) => arg !== INIT);
  if (strange !== undefined)
    throw new Refusal(
      'argument_unknown',
      `${JSON.stringify(strange)}: a server takes ${INIT} and nothing else; what is set is set in postern.yaml or the environment, see docs/configuration.md`,
    );
  const document = readDocument(host.env);
  const settings = readSettings(host.env, document.yaml, document.file);
  if (settings.workers > 1) return (await import('./primary.ts')).lead(host, settings, document);
  return (await import('./alone.ts')).serveAlone(host, settings);
}
