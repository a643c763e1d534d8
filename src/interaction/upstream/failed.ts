import type { Context } from 'koa';
import type { AnswerKey, RegisteredUpstream, WhyNot } from '../../domain/index.ts';
import { stateOf } from '../../http/index.ts';
import type { Interacting } from '../context.ts';

type Room = Pick<Interacting, 'domain' | 'log' | 'metrics'>;

const SENTENCES: Readonly<Record<WhyNot, string>> = {
  denied: 'the upstream did not let the person in',
  unavailable: 'the upstream cannot be reached, or does not talk to us',
  untrusted: 'the upstream gave an answer that cannot be trusted',
  stale: 'the upstream does not say that the person proved themselves lately',
  refused: 'the upstream vouches for somebody who may not sign in here',
  removed: 'the upstream is offered no longer',
};

/** Writes it down, and leaves it to be told on the page they come back to: of sign-in, where every other way in is, or of the account. */
export async function failed(
  ctx: Context,
  { domain, log, metrics }: Room,
  whose: AnswerKey,
  { id: upstream, kind, issuer, clientId }: Pick<RegisteredUpstream, 'id'> & Partial<RegisteredUpstream>,
  { reason, message: rule }: { readonly reason: WhyNot; readonly message: string },
): Promise<void> {
  const error = `upstream_${reason}`;
  const id = await domain.refusals.record({
    error,
    sentence: SENTENCES[reason],
    rule,
    asked: { upstream },
    registered: { kind, issuer, client_id: clientId },
  });
  Object.assign(stateOf(ctx), { error, refusalId: id });
  if ('interaction' in whose) metrics.signIn(reason === 'denied' ? 'abandoned' : 'upstream_failed');
  // What the operator may have to mend.
  if (reason === 'unavailable' || reason === 'untrusted') log.warn({ upstream, id, rule }, SENTENCES[reason]);
  await domain.upstreamRequests.answer(whose, { upstream, failed: { reason, id } });
}

/** The upstream somebody is on their way to or from; undefined where it was removed meanwhile, which is told like a failure. */
export async function stillThere(
  ctx: Context,
  room: Room,
  whose: AnswerKey,
  id: string,
): Promise<RegisteredUpstream | undefined> {
  const upstream = await room.domain.upstreams.get(id);
  if (!upstream) await failed(ctx, room, whose, { id }, { reason: 'removed', message: `there is no upstream ${id}` });
  return upstream;
}
