import type { Context } from 'koa';
import type { Endpoint } from './endpoints.ts';

/** What the middlewares tell each other about one request, in `ctx.state`. Other rooms add to it by these names. */
interface RequestState {
  /** The person's IP address, seen through trusted proxies only. */
  address?: string;
  /** The row of the endpoint table this request belongs to; absent where no row matches. */
  endpoint?: Endpoint;
  /** The client, once it is known: for the log line. */
  clientId?: string;
  /** The OAuth error code of the answer where the body does not show it (errors that travel in a redirect). */
  error?: string;
  /** The id under which `postern explain` tells why the request was refused. */
  refusalId?: string;
  /** An error somebody below caught and answered as a bug; {@link failures} answers again if it was no bug. */
  failure?: unknown;
}

export const stateOf = (ctx: Pick<Context, 'state'>): RequestState => ctx.state as RequestState;
