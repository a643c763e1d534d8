/**
 * short: what is asked all day, answered in front of Koa and the engine, for speed alone.
 *
 * A short way answers only what it grants, and its answer is the engine's to the byte. Whatever is to be refused, is
 * unusual, or fails goes on untouched to the whole way, which alone knows how to tell it; so a short way is never the only
 * place where something is decided. test/flows/short-*.test.ts send thousands of requests by both and compare.
 *
 * front.ts reads a program's request once (request.ts), finds who asks (client.ts), and puts it to the way it is for. A way
 * more is a file and a line in {@link shortWays}. A browser that comes for a code is read by wanted.ts,
 * and sent back by browsers.ts with what authorizations.ts gives it, where the engine's own list says that nobody need be asked.
 */
import type { Settings } from '../config/index.ts';
import type { Domain } from '../domain/index.ts';
import type { Engine } from '../engine/index.ts';
import type { Front, FrontDesk, Pace } from '../http/index.ts';
import type { Clock } from '../lib/index.ts';
import type { Store } from '../store/index.ts';
import { browsers } from './browsers.ts';
import { codes } from './codes.ts';
import { inShort } from './front.ts';
import { introspection } from './introspection.ts';
import { machineTokens } from './machine-tokens.ts';
import { passwords } from './passwords.ts';
import { refreshes } from './refresh.ts';

export { warmUp } from './warm-up.ts';

interface Options {
  readonly domain: Domain;
  readonly store: Store;
  readonly engine: Pick<Engine, 'servers' | 'open' | 'seal' | 'signedIn'>;
  readonly issuer: string;
  readonly lifetimes: Settings['tokens'];
  readonly now: Clock;
  readonly desk: FrontDesk;
  readonly pace: Pick<Pace, 'begin'>;
  /** Called for each token that was issued, with the grant type. */
  readonly onTokens: (grantType: string) => void;
}

export function shortWays({ domain, engine, desk, pace, ...given }: Options): readonly Front[] {
  const { servers, open, seal, signedIn } = engine;
  const means = { domain, servers, open, seal, ...given };
  return [
    inShort({
      clients: domain.clients,
      keys: domain.keys,
      store: given.store,
      now: given.now,
      desk,
      ways: [
        machineTokens(means),
        codes(means),
        refreshes(means),
        passwords({ ...means, grantLives: signedIn.lifetimes.grant }),
        introspection(means),
      ],
    }),
    browsers({ ...means, desk, pace, signedIn }),
  ];
}
