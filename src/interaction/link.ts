import type { Context } from 'koa';
import type { RegisteredUpstream, Vouched } from '../domain/index.ts';
import type { PendingRequest } from '../engine/index.ts';
import { allowFormRedirect, readForm } from '../http/index.ts';
import { Refusal } from '../lib/index.ts';
import { type Interacting, ofPerson } from './context.ts';
import { loadRequest, type Step } from './steps.ts';

interface Unlinked {
  readonly upstream: RegisteredUpstream;
  readonly vouched: Vouched;
}

/**
 * Somebody an upstream vouches for, whom nobody knew, has proven with what they have here who they are: is that the same
 * person? Asked in so many words, because somebody else may have come back from the upstream in this browser before.
 */
export function linkStep(room: Interacting): Step {
  const { domain, pages, csrf } = room;

  async function unlinked({ uid, progress, signedInHere }: PendingRequest): Promise<Unlinked | undefined> {
    if (progress.missing !== undefined || !signedInHere || domain.upstreams.list().length === 0) return undefined;
    const answer = await domain.upstreamRequests.answerOf(uid);
    if (!answer || 'failed' in answer) return undefined;
    const upstream = await domain.upstreams.get(answer.upstream);
    if (!upstream) return undefined;
    const { vouched } = answer;
    const known = await domain.identities.find({ upstream, subject: vouched.subject });
    return known ? undefined : { upstream, vouched };
  }

  return {
    name: 'link',
    isNext: async (_ctx, request) => (await unlinked(request)) !== undefined,

    async show(ctx: Context, request: PendingRequest) {
      const found = await unlinked(request);
      if (!found || request.progress.missing !== undefined) return;
      const { accountId } = request.progress;
      const person = await domain.accounts.get(accountId);
      const action = `/interaction/${request.uid}/link`;
      allowFormRedirect(ctx, request.redirectUri);
      pages.show(ctx, 'link', {
        action,
        csrf: csrf.token(ctx, action, ofPerson(request.uid, accountId)),
        person: { email: person?.email ?? '' },
        upstream: { name: found.upstream.name, label: found.vouched.label },
      });
    },

    async submit(ctx, uid) {
      const form = await readForm(ctx);
      const request = await loadRequest(ctx, room, uid);
      const { progress } = request;
      if (progress.missing !== undefined) return 'next';
      csrf.check(ctx, form, ctx.path, ofPerson(uid, progress.accountId));
      const found = await unlinked(request);
      if (!found || !(await domain.upstreamRequests.takeAnswer(uid))) return 'next';
      if (form['decision'] === 'link') await link(progress.accountId, found);
      return 'next';
    },
  };

  async function link(accountId: string, { upstream, vouched: { subject, label } }: Unlinked): Promise<void> {
    try {
      await domain.identities.link(accountId, { upstream, subject, label });
    } catch (error) {
      // Somebody else linked it a moment ago: it is theirs.
      if (!(error instanceof Refusal)) throw error;
    }
  }
}
