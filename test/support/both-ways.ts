/**
 * Sends the same requests to a server by the short way (src/short/) and by the whole one. The engine's router knows an
 * endpoint in upper case too (`/Token`), and only the whole way knows it by that name: so what is sent to both must be
 * answered, logged, counted and kept alike.
 */
import type { default as Ava, ExecutionContext } from 'ava';
import { createLogger } from '../../src/http/index.ts';
import { type Store, TABLE_NAMES } from '../../src/store/index.ts';
import { type Reply, type Sent, send } from './hostile.ts';
import { type Postern, startPostern } from './postern.ts';
import { until } from './until.ts';

export const SEED = Number(process.env['POSTERN_FUZZ_SEED'] ?? 20_261_121);
export const RUNS = Number(process.env['POSTERN_FUZZ_RUNS'] ?? 1500);

/** A server, and every line it says. */
interface Overheard {
  readonly postern: Postern;
  readonly lines: Record<string, unknown>[];
  /** How many rows each table has, those included that have expired since they were put. */
  readonly rows: () => Record<string, number>;
}

/** Starts it before the tests of a file; what is given back is filled in then. */
export function overhear(test: typeof Ava): Overheard {
  const overheard = { lines: [] } as unknown as { -readonly [K in keyof Overheard]: Overheard[K] };
  const destination = { write: (line: string) => void overheard.lines.push(JSON.parse(line) as never) };
  test.serial.before(async () => {
    overheard.postern = await startPostern({ log: createLogger({ level: 'debug', destination }) });
    overheard.rows = await rowsPut(overheard.postern.store);
  });
  test.after.always(() => overheard.postern.close());
  return overheard;
}

/** Counts rows as commits put and remove them: on a slow machine many expire before all requests are answered. */
async function rowsPut(store: Store & { commit: Store['commit'] }): Promise<() => Record<string, number>> {
  const rows = new Set<string>();
  for (const table of TABLE_NAMES)
    for (const { id } of (await store.find(table, 'all', '', { limit: 1000 })).rows) rows.add(`${table}/${id}`);
  const real = store.commit;
  store.commit = async function (this: Store, changes) {
    await real.call(this, changes);
    for (const change of changes)
      if ('put' in change) rows.add(`${change.put}/${change.id}`);
      else rows.delete(`${change.remove}/${change.id}`);
  };
  return () => {
    const counted = Object.fromEntries(TABLE_NAMES.map((table) => [table as string, 0]));
    for (const row of rows) counted[row.slice(0, row.indexOf('/'))]! += 1;
    return counted;
  };
}

/** The path by which only the whole way knows an endpoint. */
export const wholeWay = (path: string): string => path.replace(/\/(.)/, (first) => first.toUpperCase());

/** An answer without whatever may differ between two of them to one request: chance, time, and the ids of refusals. */
interface Comparable {
  readonly status: number;
  readonly body: string;
}

export type Compare = (answer: Reply, path: string) => Comparable;

/** An answer to a program. */
export const inJson: Compare = ({ status, headers, text }, path) => {
  const { date: _, 'content-length': length, ...others } = headers;
  const body = JSON.parse(text) as Record<string, unknown>;
  const id = String(body['error_id'] ?? '');
  if (id) body['error_id'] = id.replace(/_.*/, '_…');
  // One sentence of the engine's names the path.
  if (body['error_description'])
    body['error_description'] = String(body['error_description']).replace(wholeWay(path), path);
  for (const name of ['access_token', 'id_token', 'refresh_token']) {
    if (typeof body[name] !== 'string') continue;
    const [header, claims] = body[name].split('.').map((part) => Buffer.from(part, 'base64url').toString());
    // As text first, so that the order of the claims is compared too.
    const { jti = '', iat, exp } = JSON.parse(claims!) as { jti?: string; iat: number; exp: number };
    const rest = claims!
      .replace(jti, `${jti.length}`)
      .replace(`"iat":${iat}`, '"iat":0')
      // The engine reads the clock for each of the two: a second may begin in between.
      .replace(`"exp":${exp}`, `"exp":${10 * Math.round((exp - iat) / 10)}`);
    body[name] = [header, rest];
  }
  return { status, headers: others, named: length !== undefined, body: JSON.stringify(body) } as Comparable;
};

/** What is counted and kept, after which a difference is what some requests did. */
async function effects({ postern, rows }: Overheard) {
  const { text } = await postern.metrics.render();
  const counted = text.split('\n').filter((line) => /^postern_(tokens|http_requests)/.test(line));
  // The answer to a refresh is kept by the whole way alone: what comes of it, short-sign-ins.test.ts compares. Of refusals,
  // which the log tells as well, the oldest go.
  const { refresh_answers: _, refusals: __, ...kept } = rows();
  return new Map<string, number>([
    ...counted.map((line) => [line.replace(/ \d+$/, ''), Number(/\d+$/.exec(line)?.[0])] as const),
    ...Object.entries(kept),
  ]);
}

const difference = (after: Map<string, number>, before: Map<string, number>) =>
  Object.fromEntries([...after].map(([name, n]) => [name, n - (before.get(name) ?? 0)]).filter(([, n]) => n !== 0));

/**
 * Demands that all are answered, logged, counted and kept the same either way.
 * @param all requests to one path
 * @param again what to send the whole way, where the same cannot be sent twice
 * @param compare how to read an answer; as a program's unless given
 * @returns the answers
 */
export async function sameBothWays(
  t: ExecutionContext,
  overheard: Overheard,
  all: readonly Sent[],
  { again = all, compare = inJson }: { readonly again?: readonly Sent[]; readonly compare?: Compare } = {},
): Promise<readonly Comparable[]> {
  const { postern, lines } = overheard;
  const endpoint = all[0]!.path;

  async function ask(path: string, all: readonly Sent[]) {
    const before = await effects(overheard);
    const from = lines.length;
    const answered = () => lines.slice(from).filter(({ msg }) => msg === 'request').length;
    const answers: Reply[] = [];
    for (const sent of all) answers.push(await send(postern.url, { ...sent, path }));
    await until(() => answered() === all.length);
    const said = lines
      .slice(from)
      .map(({ time, ms, refusal, id, ...line }) => ({ ...line, refused: refusal !== undefined }));
    return {
      answers: answers.map((answer) => compare(answer, endpoint)),
      said,
      effects: difference(await effects(overheard), before),
    };
  }

  const [short, whole] = [await ask(endpoint, all), await ask(wholeWay(endpoint), again)];
  all.forEach((sent, n) => {
    t.deepEqual(short.answers[n], whole.answers[n], `${n}: ${JSON.stringify(sent)}`);
  });
  t.deepEqual(short.said, whole.said);
  t.deepEqual(short.effects, whole.effects);
  return short.answers;
}
