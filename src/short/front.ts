import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Domain } from '../domain/index.ts';
import { mayCallFrom } from '../engine/index.ts';
import { ENDPOINTS, type Front, type FrontDesk, lookAtBody, patiently } from '../http/index.ts';
import type { Clock } from '../lib/index.ts';
import { StoreUnavailable } from '../store/index.ts';
import { authenticate, readProof } from './client.ts';
import { Grounds, type Reader } from './grounds.ts';
import { type Lasting, Remembered } from './remembered.ts';
import { plainLength, readPlainForm } from './request.ts';
import { latest } from './standing.ts';
import type { Form, ShortWay } from './way.ts';

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

/** Puts each plain request to the way it is for. All others, and what that way leaves, go on with their body untouched. */
export function inShort({ clients, store, now, keys, desk, ways }: Options): Front {
  const places = new Map(ways.map(({ path }) => [path as string, at(path)]));

  function at(path: ShortWay['path']) {
    const endpoint = ENDPOINTS.find((row) => row.path === path)!;
    const here = ways
      .filter((way) => way.path === path)
      .map((way) => ({ ...way, known: new Set([...SAYS_WHO, ...way.parameters]) }));
    const remembered = here.some(({ lasts }) => lasts) ? new Remembered() : undefined;
    keys.onChange(() => remembered?.forget());

    function wayOf(form: Form) {
      const way = here.find(({ grantType }) => grantType === form['grant_type']);
      for (const name in form) if (!way?.known.has(name)) return undefined;
      return way;
    }

    async function make(request: Request, body: string, address: string): Promise<Lasting | undefined> {
      const form = readPlainForm(body);
      const way = form && wayOf(form);
      const proof = way && readProof(request.headers.authorization, form);
      if (!proof) return undefined;
      const grounds = new Grounds(store);
      const client = await authenticate(clients, proof, way.lasts && grounds);
      const origin = originOf(request);
      if (client && origin !== undefined && !mayCallFrom(origin, client)) return undefined;
      const answer = client && (await way.answer({ client, form, grounds, request, address }));
      return answer && { clientId: proof.clientId, text: JSON.stringify(answer), grounds };
    }

    return {
      endpoint,
      headers: desk.headers(endpoint, headersAt(path)),
      ask(request: Request, body: Buffer, address: string) {
        const question = originOf(request) ? undefined : remembered?.question(request.headers.authorization, body);
        const known = question?.known;
        return {
          /** What the same was answered before, where it can be said at once that it would be again. */
          again: known?.grounds.standAtOnce(latest(now)) ? known : undefined,
          /** Undefined for what is to go the whole way. */
          async answer(): Promise<Lasting | undefined> {
            if (known && (await known.grounds.stand(latest(now)))) return known;
            const made = await make(request, body.toString('latin1'), address);
            if (made) question?.remember(made);
            return made;
          },
        };
      },
    };
  }

  return (req, res, next) => {
    const place = places.get(req.url ?? '');
    const length = place && plainLength(req);
    if (length === undefined) return next();
    const { endpoint, headers, ask } = place!;
    const telling = desk.tell(req, res, endpoint);
    lookAtBody(req, length, (body) => {
      const whole = (failure?: Error) => {
        telling.leave();
        next(failure);
      };
      const give = ({ clientId, text }: Lasting) => {
        telling.client(clientId);
        send(res, headersFor(headers, originOf(req)), text);
      };
      if (!body) return whole();
      // What could not be sent was done: it is told as the failure it is. Heard by nobody, it would end the process.
      try {
        const { again, answer } = ask(req, body, telling.address);
        if (again) return give(again);
        patiently(res, answer)
          .then(
            (given) => (given ? give(given) : whole()),
            // What fails here fails the whole way too, which knows how to tell it; what may have been done is not done again.
            (error: unknown) => whole(error instanceof StoreUnavailable ? error : undefined),
          )
          .catch(whole);
      } catch (error) {
        whole(error as Error);
      }
    });
  };
}

/** Whose page asks, in a browser that says so. */
const originOf = ({ headers: { origin } }: Request): string | undefined => origin || undefined;

/** The same, for a browser that asks for another origin's page (https://fetch.spec.whatwg.org/#cors-protocol). */
function headersFor(headers: readonly string[], origin: string | undefined): readonly string[] {
  return origin === undefined ? headers : headers.with(headers.indexOf('Access-Control-Allow-Origin') + 1, origin);
}

function send(res: ServerResponse, headers: readonly string[], text: string): void {
  const length = Buffer.byteLength(text);
  res.writeHead(200, [...headers, 'Content-Length', String(length)]);
  // Plain ASCII goes out in one piece with its headers.
  res.end(text, length === text.length ? 'latin1' : 'utf8');
}
