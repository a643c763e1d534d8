import type { Provider } from 'oidc-provider';
import { type Domain, type Ended, type Handler, Undeliverable } from '../domain/index.ts';
import { type Clock, inSeconds, minutes, numericDate, seconds } from '../lib/index.ts';
import { type Outbound, OutboundError } from '../outbound/index.ts';
import { signJwt } from './jwt.ts';
import { currentUnit } from './unit.ts';

/** OIDC Back-Channel Logout 1.0 §2.4. */
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** A logout token is good for so long, as §2.4 has it. */
const GOOD_FOR = minutes(2);

/** An application that did not answer is left alone for this long, so that it holds up no other. */
const REST = seconds(10);

/**
 * Who signs out does not wait for anybody: what the engine would post at once is written down in the commit that ends the
 * session (domain/logouts.ts). Every ID token names its session.
 */
export function installBackchannelLogout(provider: Provider, domain: Pick<Domain, 'logouts'>): void {
  Object.assign(provider.Client.prototype, {
    backchannelLogout(this: { readonly clientId: string }, accountId: string, sid: string): Promise<void> {
      return tellSignedOut(domain, { clientId: this.clientId, accountId, sid });
    },
    includeSid: () => true,
  });
}

/** Has an application told, where it wants to know, if the request being answered succeeds. */
export async function tellSignedOut({ logouts }: Pick<Domain, 'logouts'>, ended: Ended): Promise<void> {
  for (const { id, record } of await logouts.tell(ended)) currentUnit().put('deliveries', id, record, { when: 'once' });
}

interface Options {
  readonly domain: Pick<Domain, 'clients' | 'keys'>;
  readonly outbound: Pick<Outbound, 'fetch'>;
  readonly issuer: string;
  readonly now: Clock;
}

/** Posts a logout token to an application: the courier's handler for logouts. Each attempt has a token of its own. */
export function logoutHandler({ domain, outbound, issuer, now }: Options): Handler<'logout'> {
  /** Until when each origin is left alone. */
  const resting = new Map<string, number>();

  return async ({ clientId, accountId, sid }, { reference, attempt, signal }) => {
    const client = await domain.clients.get(clientId);
    // Removed, or it need not know any more.
    if (!client?.backchannelLogout) return undefined;
    const { uri } = client.backchannelLogout;
    const { origin } = new URL(uri);
    if (now() < (resting.get(origin) ?? 0)) throw new Error(`${origin} did not answer a moment ago`);
    resting.delete(origin);
    const iat = numericDate();
    const token = await signJwt(domain.keys, 'logout+jwt', {
      iss: issuer,
      aud: clientId,
      sub: accountId,
      sid,
      iat,
      exp: iat + inSeconds(GOOD_FOR),
      jti: `${reference}.${attempt}`,
      events: { [EVENT]: {} },
    });
    let status: number;
    try {
      ({ status } = await outbound.fetch(uri, {
        method: 'POST',
        body: new URLSearchParams({ logout_token: token }),
        signal,
      }));
    } catch (error) {
      if (error instanceof OutboundError && error.fault === 'forbidden')
        throw new Undeliverable(error.message, { cause: error });
      resting.set(origin, now() + REST);
      throw error;
    }
    // §2.8; some answer 204.
    if (status !== 200 && status !== 204) throw new Error(`${origin} answered ${status}`);
    return undefined;
  };
}
