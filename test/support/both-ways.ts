/**
 * Sends the same requests to a server by the short way (src/short/) and by the whole one. The engine's router knows an
 * endpoint in upper case too (`/Token`), and only the whole way knows it by that name: so what is sent to both must be
 * answered, logged, counted and kept alike.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import fc from 'fast-check';
import { readSettings } from '../../src/config/index.ts';
import { openMasterKey } from '../../src/domain/index.ts';
import { createEngine, type Shows } from '../../src/engine/index.ts';
import { createFrontDesk, createLogger, failedInFront, inFront, type Pace } from '../../src/http/index.ts';
import { shortWays } from '../../src/short/index.ts';
import { encodePairs, hostileText, type Pairs, type Reply, type Sent, send } from './hostile.ts';
import { type Postern, startPostern } from './postern.ts';
import { until } from './until.ts';

export const SEED = Number(process.env['POSTERN_FUZZ_SEED'] ?? 20_261_121);
export const RUNS = Number(process.env['POSTERN_FUZZ_RUNS'] ?? 1500);

export interface Credentials {
  readonly id: string;
  readonly secret: string;
}

/** A server, and every line it says. */
export interface Overheard {
  readonly postern: Postern;
  readonly lines: Record<string, unknown>[];
}

export async function overhear(): Promise<Overheard> {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  return { postern: await startPostern({ log: createLogger({ level: 'debug', destination }) }), lines };
}

/** Mostly what is given, sometimes anything. */
export const word = (arbitrary: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 19, arbitrary }, { weight: 1, arbitrary: hostileText() });

export const basic = ({ id, secret }: Credentials) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

/** Credentials as parameters and as a header: one way mostly, sometimes none or both, sometimes not quite right. */
export const proof = (by: fc.Arbitrary<Credentials>) =>
  fc
    .record({
      who: by,
      by: fc.constantFrom('header', 'header', 'header', 'header', 'form', 'form', 'both', 'id too', 'id', 'none'),
      spelled: fc.constantFrom(
        basic,
        basic,
        basic,
        basic,
        (who: Credentials) => basic(who).replace('Basic', 'bAsIC'),
        (who: Credentials) => basic(who).replaceAll('=', ''),
        (who: Credentials) => `${basic(who)}=`,
        (who: Credentials) => basic(who).replace(' ', '  '),
        (who: Credentials) => basic({ ...who, id: encodeURIComponent(who.id).replaceAll('_', '%5F') }),
        (who: Credentials) => basic({ ...who, secret: `${who.secret}x` }),
        (who: Credentials) => basic({ ...who, secret: `${who.secret}%` }),
        (who: Credentials) => basic({ ...who, secret: '' }),
        (who: Credentials) => basic({ id: 'cli_nobody', secret: who.secret }),
        (who: Credentials) => `Bearer ${who.secret}`,
      ),
    })
    .map(({ who, by, spelled }) => ({
      headers: ['header', 'both', 'id too'].includes(by) ? { authorization: spelled(who) } : {},
      pairs: [
        ...(['form', 'both', 'id too', 'id'].includes(by) ? [['client_id', who.id] as const] : []),
        ...(['form', 'both'].includes(by) ? [['client_secret', who.secret] as const] : []),
      ],
    }));

/** Headers that change the answer, and some that must not. */
export const HEADERS: readonly Record<string, string>[] = [
  { accept: 'text/html' },
  { accept: 'application/token-introspection+jwt' },
  { origin: 'https://app.example' },
  { dpop: 'a.b.c' },
  { 'oauth-client-attestation': 'a.b.c' },
  { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-host': 'evil.example', host: 'evil.example' },
  { cookie: 'postern.session=x' },
  { connection: 'close' },
];

export const plain = (pairs: Pairs) => ({
  body: encodePairs(pairs),
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

/** The path by which only the whole way knows an endpoint. */
export const wholeWay = (path: string): string => path.replace(/\/(.)/, (first) => first.toUpperCase());

/** Everything that may differ between two answers to one request taken out: chance, time, and the ids of refusals. */
function comparable({ status, headers, text }: Reply, path: string) {
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
      .replace(`"exp":${exp}`, `"exp":${exp - iat}`);
    body[name] = [header, rest];
  }
  return { status, headers: others, named: length !== undefined, body: JSON.stringify(body) };
}

/** What is counted and kept, after which a difference is what some requests did. */
async function effects(postern: Postern) {
  const { text } = await postern.metrics.render();
  const counted = text.split('\n').filter((line) => /^postern_(tokens|http_requests)/.test(line));
  const { rows } = await postern.store.stats();
  return new Map<string, number>([
    ...counted.map((line) => [line.replace(/ \d+$/, ''), Number(/\d+$/.exec(line)?.[0])] as const),
    ...Object.entries(rows),
  ]);
}

const difference = (after: Map<string, number>, before: Map<string, number>) =>
  Object.fromEntries([...after].map(([name, n]) => [name, n - (before.get(name) ?? 0)]).filter(([, n]) => n !== 0));

/**
 * Demands that all are answered, logged, counted and kept the same either way.
 * @param all requests to one path
 * @param again what to send the whole way, where the same cannot be sent twice
 * @returns the answers
 */
export async function sameBothWays(
  t: ExecutionContext,
  { postern, lines }: Overheard,
  all: readonly Sent[],
  again = all,
): Promise<readonly { readonly status: number; readonly body: string }[]> {
  const endpoint = all[0]!.path;

  async function ask(path: string, all: readonly Sent[]) {
    const before = await effects(postern);
    const from = lines.length;
    const answered = () => lines.slice(from).filter(({ msg }) => msg === 'request').length;
    const answers: Reply[] = [];
    for (const sent of all) answers.push(await send(postern.url, { ...sent, path }));
    await until(() => answered() === all.length);
    const said = lines
      .slice(from)
      .map(({ time, ms, refusal, id, ...line }) => ({ ...line, refused: refusal !== undefined }));
    return {
      answers: answers.map((answer) => comparable(answer, endpoint)),
      said,
      effects: difference(await effects(postern), before),
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

/** Of the body that a request was left with. */
export const digest = (body: string | Buffer): string => createHash('sha256').update(body).digest('hex');

/**
 * The short ways of a server alone, on a port of their own: 418 and the body's {@link digest} is what goes on from them, 503
 * what failed there.
 */
export async function shortWaysOf(
  t: ExecutionContext,
  { domain, issuer, store, folder }: Postern,
  pace: Pick<Pace, 'begin'> = { begin: () => undefined },
) {
  const heard = { told: 0, issued: 0 };
  const settings = { ...readSettings({}), issuer };
  const engine = createEngine({
    settings,
    domain,
    store,
    masterKey: openMasterKey({ folder: join(folder, 'keys') }),
    now: Date.now,
    uiLocales: [],
    shows: {} as Shows,
    installGrants() {},
  });
  const short = shortWays({
    domain,
    engine,
    store,
    now: Date.now,
    issuer,
    lifetimes: settings.tokens,
    desk: createFrontDesk({ issuer, trustedProxies: [], tell: () => void heard.told++ }),
    pace,
    onTokens: () => void heard.issued++,
  });
  const server = createServer(
    inFront(short, async (req, res) => {
      try {
        failedInFront(req);
      } catch {
        return res.writeHead(503).end();
      }
      const pieces: Buffer[] = [];
      for await (const piece of req.iterator({ destroyOnReturn: false })) pieces.push(piece as Buffer);
      res.writeHead(418).end(digest(Buffer.concat(pieces)));
    }),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
}
