import type { Context } from 'koa';
import type { RegisteredUpstream } from '../../domain/index.ts';
import { stateOf } from '../../http/index.ts';
import type { UpstreamFailure } from '../../upstream/index.ts';
import type { Interacting } from '../context.ts';

/** Why an upstream signed nobody in. `refused`: it vouched for somebody who may not sign in here. */
export type WhyNot = Pick<UpstreamFailure, 'message'> & { readonly reason: UpstreamFailure['reason'] | 'refused' };

const SENTENCES: Readonly<Record<WhyNot['reason'], string>> = {
  denied: 'the upstream did not let the person in',
  unavailable: 'the upstream cannot be reached, or does not talk to us',
  untrusted: 'the upstream gave an answer that cannot be trusted',
  stale: 'the upstream does not say that the person proved themselves lately',
  refused: 'the upstream vouches for somebody who may not sign in here',
};

/** Writes it down, and leaves it to be told on the page they come back to: of sign-in, where every other way in is, or of the account. */
export async function failed(
  ctx: Context,
  { domain, log, metrics }: Pick<Interacting, 'domain' | 'log' | 'metrics'>,
  whose: { readonly interaction: string } | { readonly session: string },
  { id: upstream, kind, issuer, clientId }: RegisteredUpstream,
  why: WhyNot,
): Promise<void> {
  const { reason, message: rule } = why;
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
