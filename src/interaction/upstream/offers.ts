import type { RegisteredUpstream } from '../../domain/index.ts';
import type { PendingRequest } from '../../engine/index.ts';
import type { PageData } from '../../http/index.ts';
import { kindOf } from '../../upstream/index.ts';
import type { Interacting } from '../context.ts';

type Login = PageData['login'];

/** What the sign-in page says of upstreams. */
export interface Offers extends Pick<Login, 'upstreams' | 'linking'> {
  /** The last one did not vouch for anybody. */
  readonly error?: Extract<NonNullable<Login['error']>, { readonly upstream: unknown }>;
  /** Where the buttons lead. */
  readonly places: readonly string[];
}

/**
 * Whether somebody can answer the request by it. Where they are to prove themselves anew, an upstream that cannot say that they
 * did is of no use.
 */
export const isOffered = ({ maxAge }: PendingRequest, { kind: name }: RegisteredUpstream): boolean => {
  const kind = kindOf(name);
  return kind !== undefined && (maxAge === undefined || kind.provesFreshness);
};

/** What is offered, and what came of the last one. A failure is told once. */
export async function offersOf({ domain }: Interacting, request: PendingRequest): Promise<Offers> {
  const { upstreams, upstreamRequests } = domain;
  const all = upstreams.list();
  const offered = all.filter((each) => isOffered(request, each));
  const offers = {
    upstreams: {
      action: `/interaction/${request.uid}/upstream`,
      offered: offered.map(({ id, name }) => ({ id, name })),
    },
    places: offered.map(({ issuer }) => issuer),
  };
  const whose = { interaction: request.uid, browser: request.browser };
  const answer = await upstreamRequests.answerOf(whose);
  if (!answer) return offers;
  const known = all.find(({ id }) => id === answer.upstream);
  if ('vouched' in answer)
    return known ? { ...offers, linking: { upstream: known.name, label: answer.vouched.label } } : offers;
  await upstreamRequests.takeAnswer(whose);
  return 'failed' in answer
    ? { ...offers, error: { upstream: known?.name ?? answer.upstream, ...answer.failed } }
    : offers;
}
