import { type Duration, newSecret } from '../../../src/lib/index.ts';
import { until } from '../../support/until.ts';
import { reasonOf } from '../calls.ts';
import type { Running, Stage } from '../set-ups.ts';

interface Answer {
  /** The status, or why there was none. */
  readonly word: string;
  readonly took: Duration;
}

const AT_ONCE = 12;

/** Asks at once for many machine tokens that must be kept and about as many others, and every process whether it can serve. */
export async function probe(stage: Stage): Promise<{ answers: Answer[]; ready: number[] }> {
  const answers = Promise.all(Array.from({ length: AT_ONCE }, (_, i) => (i % 2 ? askAbout(stage) : ask(stage))));
  const ready = Promise.all(stage.servers.map(readiness));
  return { answers: await answers, ready: await ready };
}

/** How long it takes until a token is issued and every process says that it can serve. */
export async function recovery(stage: Stage): Promise<Duration> {
  const began = performance.now();
  await until(async () => (await ask(stage)).word === '200');
  await until(async () => (await Promise.all(stage.servers.map(readiness))).every((status) => status === 200));
  return performance.now() - began;
}

const ask = (stage: Stage): Promise<Answer> =>
  post(stage, '/token', { grant_type: 'client_credentials', resource: stage.machine.resource, scope: 'read' });

/** Which token it is has to be looked up in one table after the other. */
const askAbout = (stage: Stage): Promise<Answer> => post(stage, '/introspect', { token: newSecret() });

async function post({ issuer, machine }: Stage, path: string, form: Record<string, string>): Promise<Answer> {
  const began = performance.now();
  const word = await fetch(`${issuer}${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${machine.id}:${machine.secret}`)}` },
    body: new URLSearchParams(form),
  }).then(async (response) => {
    await response.arrayBuffer();
    return String(response.status);
  }, reasonOf);
  return { word, took: performance.now() - began };
}

const readiness = async ({ opsPort }: Running): Promise<number> =>
  (await fetch(`http://127.0.0.1:${opsPort}/readyz`)).status;
