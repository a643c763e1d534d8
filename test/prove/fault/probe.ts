import type { Duration } from '../../../src/lib/index.ts';
import { until } from '../../support/until.ts';
import { reasonOf } from '../calls.ts';
import type { Running, Stage } from '../set-ups.ts';

interface Answer {
  /** The status, or why there was none. */
  readonly word: string;
  readonly body: string;
  readonly took: Duration;
  /** Whether nothing had to be written for it. */
  readonly reads: boolean;
}

const AT_ONCE = 12;

/** A machine token that is kept. */
export async function keptToken(stage: Stage): Promise<string> {
  const { body, word } = await ask(stage);
  if (word !== '200') throw new Error(`no token but ${word}`);
  return (JSON.parse(body) as { access_token: string }).access_token;
}

/**
 * Asks at once for many machine tokens that must be kept, and as often about one that was; and every process whether it
 * can serve.
 */
export async function probe(stage: Stage, token: string): Promise<{ answers: Answer[]; ready: string[] }> {
  const answers = Promise.all(Array.from({ length: AT_ONCE }, (_, i) => (i % 2 ? askAbout(stage, token) : ask(stage))));
  const ready = Promise.all(stage.servers.map(readiness));
  return { answers: await answers, ready: await ready };
}

/** How long it takes until a token is issued and every process says that it can serve. */
export async function recovery(stage: Stage): Promise<Duration> {
  const began = performance.now();
  await until(async () => (await ask(stage)).word === '200');
  await until(async () => (await Promise.all(stage.servers.map(readiness))).every((word) => word === '200'));
  return performance.now() - began;
}

const ask = (stage: Stage): Promise<Answer> =>
  post(stage, '/token', {
    reads: false,
    form: { grant_type: 'client_credentials', resource: stage.machine.resource, scope: 'read' },
  });

const askAbout = (stage: Stage, token: string): Promise<Answer> =>
  post(stage, '/introspect', { reads: true, form: { token } });

interface Question {
  readonly form: Readonly<Record<string, string>>;
  readonly reads: boolean;
}

async function post({ issuer, machine }: Stage, path: string, { form, reads }: Question): Promise<Answer> {
  const began = performance.now();
  const answer = await fetch(`${issuer}${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${machine.id}:${machine.secret}`)}` },
    body: new URLSearchParams(form),
  }).then(
    async (response) => ({ word: String(response.status), body: await response.text() }),
    (error) => ({ word: reasonOf(error), body: '' }),
  );
  return { ...answer, reads, took: performance.now() - began };
}

const readiness = ({ opsPort }: Running): Promise<string> =>
  fetch(`http://127.0.0.1:${opsPort}/readyz`).then(({ status }) => String(status), reasonOf);
