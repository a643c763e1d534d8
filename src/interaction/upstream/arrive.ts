import type { Context } from 'koa';
import type { Person, RegisteredUpstream, Vouched } from '../../domain/index.ts';
import { sendOn } from '../../http/index.ts';
import { Refusal } from '../../lib/index.ts';
import type { Interacting } from '../context.ts';
import { loadRequest } from '../steps.ts';
import { failed } from './failed.ts';

/** Back in the interaction: whoever the upstream vouches for, and is known here, has proven who they are. */
export function arrived(room: Interacting) {
  const { domain, interactions, metrics } = room;

  /** The person here; undefined where the upstream's person has to show first who they are here. */
  async function personOf(upstream: RegisteredUpstream, vouched: Vouched): Promise<Person | undefined> {
    const { subject, label, email, emailVerified, name } = vouched;
    const known = await domain.identities.find({ upstream, subject });
    if (known) {
      const person = await domain.accounts.get(known.accountId);
      if (person) await domain.identities.used(known.id);
      return person;
    }
    if (!upstream.signsUp || email === undefined || !emailVerified || !upstream.trustsEmail) return undefined;
    try {
      return await domain.identities.signUp({ upstream, subject, label, email, emailVerified, name });
    } catch (error) {
      // Somebody has the address: they prove that it is them.
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  }

  return async (ctx: Context, uid: string): Promise<void> => {
    const back = `/interaction/${encodeURIComponent(uid)}`;
    const request = await loadRequest(ctx, room, uid);
    const whose = { interaction: uid, browser: request.browser };
    const answer = await domain.upstreamRequests.answerOf(whose);
    if (!answer || !('vouched' in answer) || request.progress.missing !== 'login') return sendOn(ctx, back);
    const upstream = await domain.upstreams.get(answer.upstream);
    const person = upstream && (await personOf(upstream, answer.vouched));
    if (!person || !(await domain.upstreamRequests.takeAnswer(whose))) return sendOn(ctx, back);
    if (person.disabled) {
      await failed(ctx, room, whose, upstream, {
        reason: 'refused',
        message: `${person.id} is disabled`,
      });
      return sendOn(ctx, back);
    }
    const { id: accountId, epoch } = person;
    const { remember, provedAt } = answer.vouched;
    const away = await interactions.proved(ctx, { accountId, amr: ['fed'], remember, epoch, provedAt });
    metrics.signIn('succeeded');
    sendOn(ctx, away ?? back);
  };
}
