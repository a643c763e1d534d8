import type { ServerResponse } from 'node:http';
import type { Domain } from '../domain/index.ts';
import { ENDPOINTS, type Front, type FrontDesk, lookAtBody, patiently } from '../http/index.ts';
import { StoreUnavailable } from '../store/index.ts';
import { authenticate, readProof } from './client.ts';
import { plainLength, readPlainForm } from './request.ts';
import type { Form, ShortWay } from './way.ts';

interface Options {
  readonly clients: Pick<Domain['clients'], 'get' | 'verifySecret'>;
  readonly desk: FrontDesk;
  readonly ways: readonly ShortWay[];
}

/** What the engine says of itself with every answer to a program. */
const headersAt = (path: ShortWay['path']) => ({
  Vary: 'Origin',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': path === '/token' ? 'DPoP-Nonce,WWW-Authenticate' : 'WWW-Authenticate',
  'Content-Type': 'application/json; charset=utf-8',
});

const SAYS_WHO = ['client_id', 'client_secret', 'grant_type'];

/** Puts each plain request to the way it is for. All others, and what that way leaves, go on with their body untouched. */
export function inShort({ clients, desk, ways }: Options): Front {
  const desks = new Map<string, ReturnType<typeof at>>(ways.map(({ path }) => [path, at(path)]));

  function at(path: ShortWay['path']) {
    const endpoint = ENDPOINTS.find((row) => row.path === path)!;
    const here = ways
      .filter((way) => way.path === path)
      .map(({ grantType, parameters, answer }) => ({
        grantType,
        known: new Set([...SAYS_WHO, ...parameters]),
        answer,
      }));
    return {
      endpoint,
      headers: desk.headers(endpoint, headersAt(path)),
      wayOf(form: Form) {
        const way = here.find(({ grantType }) => grantType === form['grant_type']);
        for (const name in form) if (!way?.known.has(name)) return undefined;
        return way;
      },
    };
  }

  function send(res: ServerResponse, headers: readonly string[], answer: object): void {
    const text = JSON.stringify(answer);
    const length = Buffer.byteLength(text);
    res.writeHead(200, [...headers, 'Content-Length', String(length)]);
    // Plain ASCII goes out in one piece with its headers.
    res.end(text, length === text.length ? 'latin1' : 'utf8');
  }

  return (req, res, next) => {
    const place = desks.get(req.url ?? '');
    const length = place && plainLength(req);
    if (length === undefined) return next();
    const { endpoint, headers, wayOf } = place!;
    const telling = desk.tell(req, res, endpoint);
    lookAtBody(req, length, (body) => {
      const whole = (failure?: Error) => {
        telling.leave();
        next(failure);
      };
      const form = body && readPlainForm(body.toString('latin1'));
      const way = form && wayOf(form);
      const proof = way && readProof(req.headers.authorization, form);
      if (!proof) return whole();
      patiently(res, () => authenticate(clients, proof).then((client) => client && way.answer({ client, form }))).then(
        (answer) => {
          if (!answer) return whole();
          telling.client(proof.clientId);
          send(res, headers, answer);
        },
        // What fails here fails the whole way too, which knows how to tell it; what may have been done is not done again.
        (error: unknown) => whole(error instanceof StoreUnavailable ? error : undefined),
      );
    });
  };
}
