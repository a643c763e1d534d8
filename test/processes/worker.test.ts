import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Host } from '../../src/processes/index.ts';
import type { Answers, FromWorker, ToWorker } from '../../src/processes/messages.ts';
import { work } from '../../src/processes/worker.ts';
import { until } from '../support/until.ts';

/** What a worker says it is able to do in the very moment in which it is first handed connections. */
async function firstReadiness(t: ExecutionContext, quiet: boolean): Promise<Answers['readiness']> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-worker-'));
  const said: FromWorker[] = [];
  let tell: (message: ToWorker) => void = () => {};
  let ended = false;
  const host: Host = {
    env: {
      POSTERN_PORT: '0',
      POSTERN_DATA: join(folder, 'data'),
      POSTERN_KEYS: join(folder, 'keys'),
      POSTERN_LOG_LEVEL: 'error',
    },
    args: ['--init'],
    pid: process.pid,
    script: '',
    print() {},
    onSignal() {},
    exit() {
      ended = true;
    },
    onExit() {},
    primary: {
      send(message, written) {
        said.push(message);
        if (message.type === 'serving') tell({ type: 'ask', what: 'readiness', question: 1 });
        written?.();
      },
      onMessage: (act) => {
        tell = (message) => act(message, undefined);
      },
      onGone() {},
    },
  };
  work(host);
  const entrance = { url: 'http://localhost:3000', port: 3000 };
  tell({ type: 'begin', worker: 1, document: { file: 'postern.yaml', yaml: '' }, entrance, quiet });
  const answer = () => said.find((message) => message.type === 'answer');
  await until(() => answer() !== undefined || said.some(({ type }) => type === 'failed'));
  tell({ type: 'drain' });
  await until(() => ended);
  rmSync(folder, { recursive: true });
  t.is(said[0]?.type, 'serving', JSON.stringify(said));
  return answer()?.value as Answers['readiness'];
}

test('the first workers serve at once, and are not ready before they have warmed up', async (t) => {
  t.like(await firstReadiness(t, true), { ok: false, checks: { server: 'warming up' } });
});

test('a worker that takes the place of another serves when it has warmed up', async (t) => {
  t.true((await firstReadiness(t, false)).ok);
});
