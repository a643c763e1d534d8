import type { Context } from 'koa';
import type { RegisteredUpstream, Vouched } from '../domain/index.ts';
import type { PendingRequest } from '../engine/index.ts';
import { allowFormRedirect } from '../http/index.ts';
import { type Interacting, ofPerson } from './context.ts';
import { loadRequest, type Step } from './steps.ts';
import { linkTo } from './upstream/links.ts';

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

  async function unlinked({ uid, browser, progress, signedInHere }: PendingRequest): Promise<Unlinked | undefined> {
    if (progress.missing !== undefined || !signedInHere || domain.upstreams.list().length === 0) return undefined;
    const answer = await domain.upstreamRequests.answerOf({ interaction: uid, browser });
    if (!answer || !('vouched' in answer)) return undefined;
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

    async submit(ctx, uid, form) {
      const request = await loadRequest(ctx, room, uid);
      const { progress } = request;
      if (progress.missing !== undefined) return 'next';
      csrf.check(ctx, form, ctx.path, ofPerson(uid, progress.accountId), ctx.path);
      const found = await unlinked(request);
      if (!found || !(await domain.upstreamRequests.takeAnswer({ interaction: uid, browser: request.browser })))
        return 'next';
      if (form['decision'] === 'link') {
        const { upstream, vouched } = found;
        // Somebody else may have linked it a moment ago: it is theirs.
        await linkTo(room, progress.accountId, { upstream, subject: vouched.subject, label: vouched.label });
      }
      return 'next';
    },
  };
}
