import { ENDPOINTS, type Front, type FrontDesk, patiently } from '../http/index.ts';
import { StoreUnavailable } from '../store/index.ts';
import { type AuthorizationOptions, authorizations, type Sent } from './authorizations.ts';
import { readWanted } from './wanted.ts';

interface Options extends AuthorizationOptions {
  readonly desk: FrontDesk;
}

/** Sends a browser back with a code, where that is all there is to do. All others go on untouched. */
export function browsers({ desk, ...options }: Options): Front {
  const { cookie } = options.signedIn;
  const answer = authorizations(options);
  const endpoint = ENDPOINTS.find(({ path }) => path === '/authorize')!;
  const fixed = desk.headers(endpoint, { 'Content-Type': 'text/html; charset=utf-8' });

  return (req, res, next) => {
    const wanted = readWanted(req);
    const sessionId = wanted && cookie.read(req.headers.cookie);
    if (!sessionId) return next();
    const exchange = desk.open(req, res, endpoint);
    exchange.wait();
    const whole = (failure?: Error) => {
      exchange.leave();
      next(failure);
    };
    const browser = { sessionId, address: exchange.address, userAgent: req.headers['user-agent'] ?? '' };
    patiently(res, () => answer(wanted, browser))
      .then(
        (sent) => {
          if (!sent) return whole();
          const text = `Redirecting to ${sent.to.replaceAll('&', '&amp;')}.`;
          res.writeHead(303, [...fixed, ...headersOf(sent), 'Content-Length', String(text.length)]);
          exchange.end(text, 'latin1', wanted.clientId);
        },
        // What fails here fails the whole way too, which knows how to tell it; what may have been done is not done again.
        (error: unknown) => whole(error instanceof StoreUnavailable ? error : undefined),
      )
      // What could not be sent was done: it is told as the failure it is. Heard by nobody, it would end the process.
      .catch(whole);
  };
}

const headersOf = ({ to, cookies: [one, other] }: Sent) => ['Set-Cookie', one, 'Set-Cookie', other, 'Location', to];
