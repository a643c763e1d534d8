import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Domain } from '../domain/index.ts';
import { mayCallFrom } from '../engine/index.ts';
import { ENDPOINTS, type Front, type FrontDesk, patiently, SharedHead, takeBody } from '../http/index.ts';
import type { Clock } from '../lib/index.ts';
import { StoreUnavailable } from '../store/index.ts';
import { authenticate, readProof } from './client.ts';
import { Grounds, type Reader } from './grounds.ts';
import { type Lasting, Remembered } from './remembered.ts';
import { plainLength, readPlainForm } from './request.ts';
import { latest } from './standing.ts';
import type { Answer, Form, Maker, ShortWay } from './way.ts';

interface Options {
  readonly clients: Pick<Domain['clients'], 'get' | 'verifySecret'>;
  readonly store: Reader;
  readonly now: Clock;
  readonly keys: Pick<Domain['keys'], 'onChange'>;
  readonly desk: FrontDesk;
  readonly ways: readonly ShortWay[];
}

/** What the engine says of itself with every answer to a program; to one in a browser, with its origin. */
const headersAt = (path: ShortWay['path']) => ({
  Vary: 'Origin',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': path === '/token' ? 'DPoP-Nonce,WWW-Authenticate' : 'WWW-Authenticate',
  'Content-Type': 'application/json; charset=utf-8',
});

const SAYS_WHO = ['client_id', 'client_secret', 'grant_type'];

type Request = Pick<IncomingMessage, 'headers'>;

/**
 * Puts each plain request to the way it is for. All others, and what that way leaves, go on with their body untouched; a
 * failure of what was decided before goes on as a failure.
 */
export function inShort({ clients, store, now, keys, desk, ways }: Options): Front {
  const places = new Map(ways.map(({ path }) => [path as string, at(path)]));

  function at(path: ShortWay['path']) {
    const endpoint = ENDPOINTS.find((row) => row.path === path)!;
    const here = ways
      .filter((way) => way.path === path)
      .map((way) => ({ ...way, known: new Set([...SAYS_WHO, ...way.parameters]) }));
    const lasting = here.filter(({ lasts }) => lasts);
    const remembered = new Remembered();
    keys.onChange(() => remembered.forget());

    /** Undefined where nothing of what may be asked lasts: of a browser's question the answer is its origin's alone. */
    function questionOf(request: Request, text: string) {
      const may = lasting.some(({ grantType }) => grantType === undefined || text.includes(grantType));
      return may && originOf(request) === undefined
        ? remembered.question(request.headers.authorization, text)
        : undefined;
    }

    function wayOf(form: Form) {
      const way = here.find(({ grantType }) => grantType === form['grant_type']);
      for (const name in form) if (!way?.known.has(name)) return undefined;
      return way;
    }

    async function decide(request: Request, text: string, address: string) {
      const form = readPlainForm(text);
      const way = form && wayOf(form);
      const proof = way && readProof(request.headers.authorization, form);
      if (!proof) return undefined;
      const grounds = new Grounds(store);
      const client = await authenticate(clients, proof, way.lasts && grounds);
      const origin = originOf(request);
      if (client && origin !== undefined && !mayCallFrom(origin, client)) return undefined;
      const given = client && (await way.answer({ client, form, grounds, request, address }));
      if (!given) return undefined;
      const answer = isMaker(given) ? given : JSON.stringify(given);
      return { lasts: way.lasts, decided: { clientId: proof.clientId, answer, grounds } };
    }

    const headers = desk.headers(endpoint, headersAt(path));
    const head = new SharedHead(200, headers);

    return {
      endpoint,
      /** Of an answer of so many bytes. */
      writeHead(res: ServerResponse, length: number, origin: string | undefined): void {
        if (origin === undefined) head.write(res, length);
        else res.writeHead(200, [...headersFor(headers, origin), 'Content-Length', String(length)]);
      },
      ask(request: Request, body: Buffer, address: string) {
        const text = body.toString('latin1');
        const question = questionOf(request, text);
        const known = question?.known;
        return {
          /** What was decided of the same before, where it can be said at once that it would be again. */
          again: known?.grounds.standAtOnce(latest(now)) ? known : undefined,
          /** Undefined for what is to go the whole way. */
          async decide(): Promise<Lasting | undefined> {
            if (known && (await known.grounds.stand(latest(now)))) return known;
            const made = await decide(request, text, address);
            if (made?.lasts) question?.remember(made.decided);
            return made?.decided;
          },
        };
      },
    };
  }

  return (req, res, next) => {
    const place = places.get(req.url ?? '');
    const length = place && plainLength(req);
    if (length === undefined) return next();
    const { endpoint, writeHead, ask } = place!;
    const exchange = desk.open(req, res, endpoint);
    exchange.wait();
    takeBody(req, length, (taken) => {
      const whole = (failure?: Error) => {
        exchange.leave();
        next(failure);
      };
      const give = (clientId: string, text: string) => {
        const length = Buffer.byteLength(text);
        writeHead(res, length, originOf(req));
        exchange.end(text, length === text.length ? 'latin1' : 'utf8', clientId);
      };
      // What fails here fails the whole way too, which knows how to tell it; what may have been done is not done again.
      const fail = (error: unknown) => whole(error instanceof StoreUnavailable ? error : undefined);
      const answer = ({ clientId, answer: given }: Lasting, failed: (error: unknown) => void): void => {
        if (typeof given === 'string') give(clientId, given);
        else
          given()
            .then((text) => give(clientId, text), failed)
            .catch(whole);
      };
      if (!taken) return whole();
      // What could not be sent was done: it is told as the failure it is. Heard by nobody, it would end the process.
      try {
        const { again, decide } = ask(req, taken.body, exchange.address);
        // It was granted before: what fails now would fail the whole way too, and is told as the failure it is.
        if (again) return answer(again, (error) => whole(error instanceof Error ? error : new Error(String(error))));
        taken.giveBack();
        patiently(res, decide)
          .then((decided) => (decided ? answer(decided, fail) : whole()), fail)
          .catch(whole);
      } catch (error) {
        whole(error as Error);
      }
    });
  };
}

const isMaker = (given: Answer | Maker): given is Maker => typeof given === 'function';

/** Whose page asks, in a browser that says so. */
const originOf = ({ headers: { origin } }: Request): string | undefined => origin || undefined;

/** The same, for a browser that asks for another origin's page (https://fetch.spec.whatwg.org/#cors-protocol). */
const headersFor = (headers: readonly string[], origin: string): readonly string[] =>
  headers.with(headers.indexOf('Access-Control-Allow-Origin') + 1, origin);
