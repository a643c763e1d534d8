import type { Duration } from '../../../src/lib/index.ts';
import { until } from '../../support/until.ts';
import { reasonOf } from '../calls.ts';
import type { Running, Stage } from '../set-ups.ts';

interface Answer {
  /** The status, or why there was none. */
  readonly word: string;
  readonly took: Duration;
}

const AT_ONCE = 12;

/** Asks for many machine tokens that must be kept, at once, and every process whether it can serve. */
export async function probe(stage: Stage): Promise<{ answers: Answer[]; ready: number[] }> {
  const answers = Promise.all(Array.from({ length: AT_ONCE }, () => ask(stage)));
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

async function ask({ issuer, machine }: Stage): Promise<Answer> {
  const began = performance.now();
  const word = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${machine.id}:${machine.secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: machine.resource, scope: 'read' }),
  }).then(async (response) => {
    await response.arrayBuffer();
    return String(response.status);
  }, reasonOf);
  return { word, took: performance.now() - began };
}

const readiness = async ({ opsPort }: Running): Promise<number> =>
  (await fetch(`http://127.0.0.1:${opsPort}/readyz`)).status;
