import { UnsecuredJWT } from 'jose';
import type { Context } from 'koa';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import {
  type Clock,
  hours,
  inSeconds,
  inTimeOf,
  minutes,
  numericDate,
  type SealingKey,
  seal,
  seconds,
  unseal,
} from '../lib/index.ts';
import type { Stored } from './proofs.ts';
import { splitScope } from './scopes.ts';

/** An authorization request as the browser keeps it: to be asked again where its interaction cannot go on. */
interface KeptRequest {
  /** As the application sent them. */
  readonly params: Readonly<Record<string, unknown>>;
  /** It sent them from its server (RFC 9126), and only a reference through the browser. */
  readonly pushed?: true | undefined;
  /** Until when the interaction lasts, in milliseconds. */
  readonly until: number;
  /** Who it was answered for so far. */
  readonly accountId?: string | undefined;
  /** When nothing was left to ask, in milliseconds. */
  readonly done?: number | undefined;
}

export type KeptRequests = ReturnType<typeof createKeptRequests>;

interface Options {
  readonly key: SealingKey;
  readonly https: boolean;
  readonly now: Clock;
}

const COOKIE = 'postern.request';

/** A sign-in page that was left open overnight goes on in the morning. */
const LIFETIME = hours(24);

/**
 * A browser keeps 4 KB of one cookie (RFC 6265 §6.1), but nginx, unless told otherwise, takes no more than that of all of
 * an answer's headers together (`proxy_buffer_size`), of which those that begin an interaction need 1.7.
 */
const LONGEST = 2200;

/** The browser goes there at once. */
const ASKED_WITHIN = minutes(1);

/** Parameters that stand for others, which are there in their place. */
const REFERENCES = new Set(['request', 'request_uri']);

/**
 * Each interaction's request, sealed in a cookie that goes only to the interaction's own pages. The store forgets an
 * interaction that is over, and what a person is shown then should not depend on how the browser came there. Asking the
 * request again is what the application's own link does: it proves nothing and allows nothing.
 */
export function createKeptRequests({ key, https, now }: Options) {
  // It cannot be `__Host-`, for one path alone: the seal is its proof.
  const cookie = { httpOnly: true, sameSite: 'lax', secure: https, signed: false, overwrite: true } as const;
  const presented = (ctx: Pick<Context, 'cookies'>) => ctx.cookies.get(COOKIE, { signed: false });
  const pathOf = (uid: string): string => `/interaction/${uid}`;
  const labelOf = (uid: string): string => `kept request ${uid}`;

  function keep(ctx: Context | KoaContextWithOIDC, uid: string, request: KeptRequest): string | undefined {
    const sealed = seal(key, labelOf(uid), JSON.stringify(request));
    if (sealed.length > LONGEST) return undefined;
    ctx.cookies.set(COOKIE, sealed, { ...cookie, path: pathOf(uid), maxAge: inSeconds(LIFETIME) * 1000 });
    return sealed;
  }

  return {
    /** Keeps the request of every interaction that begins. */
    follow(provider: Provider): void {
      provider.on('interaction.started', (ctx: KoaContextWithOIDC) => {
        const { Interaction: begun } = ctx.oidc.entities;
        if (begun) this.note(ctx, begun as Stored, begun.session?.accountId);
      });
    },

    /**
     * Notes who the interaction is answered for by now, and that nothing is left to ask.
     * @returns what the browser is given, which is another each time, and nobody else has; undefined where it is too long
     */
    note(
      ctx: Context | KoaContextWithOIDC,
      interaction: Stored,
      accountId?: string,
      done?: number,
    ): string | undefined {
      const params = Object.fromEntries(Object.entries(interaction.params).filter(([name]) => !REFERENCES.has(name)));
      const pushed = interaction.parJti ? true : undefined;
      const until = inTimeOf(now, seconds(interaction.exp));
      return keep(ctx, interaction.uid, { params, pushed, until, accountId, done });
    },

    /** As it was given to the browser. */
    presented,

    read(ctx: Context, uid: string): KeptRequest | undefined {
      const sealed = presented(ctx);
      if (!sealed) return undefined;
      try {
        const request = JSON.parse(unseal(key, labelOf(uid), sealed)) as KeptRequest;
        // Whatever the browser makes of Max-Age.
        return now() < request.until + LIFETIME ? request : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

/**
 * Where the request is asked again. One that was pushed we push ourselves: what it says stays out of URLs (RFC 9126 §1).
 * @param choosing the person says first who they are: who is signed in may be another than the request was answered for
 */
export async function addressToAsk(
  provider: Provider,
  { params, pushed }: KeptRequest,
  { choosing }: { choosing: boolean },
): Promise<string> {
  const asked = { ...params };
  if (choosing)
    asked['prompt'] = [...new Set(splitScope(params['prompt'] as string | undefined)).add('select_account')].join(' ');
  const query = new URLSearchParams();
  if (pushed) {
    query.set('client_id', String(params['client_id']));
    query.set('request_uri', await push(provider, asked));
  } else {
    for (const [name, value] of Object.entries(asked))
      for (const each of [value].flat()) if (typeof each === 'string') query.append(name, each);
  }
  return `/authorize?${query}`;
}

const REQUEST_URN = 'urn:ietf:params:oauth:request_uri:';

/** As the engine does where an application pushes; that it was the application is what our seal says. */
async function push(provider: Provider, params: Readonly<Record<string, unknown>>): Promise<string> {
  const now = numericDate();
  const { client_id: clientId, dpop_jkt: dpopJkt } = params as Readonly<Record<string, string | undefined>>;
  const request = new UnsecuredJWT({ ...params })
    .setIssuer(clientId ?? '')
    .setAudience(provider.issuer)
    .setExpirationTime(now + inSeconds(ASKED_WITHIN))
    .encode();
  const pushed = new provider.PushedAuthorizationRequest({ request, ...(dpopJkt && { dpopJkt }) });
  return REQUEST_URN + (await pushed.save(inSeconds(ASKED_WITHIN)));
}
