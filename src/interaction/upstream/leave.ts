import { UpstreamFailure } from '../../upstream/index.ts';
import type { Interacting } from '../context.ts';
import { loadRequest, type Step } from '../steps.ts';
import { failed, stillThere } from './failed.ts';
import { isOffered } from './offers.ts';

/** The buttons of the sign-in page that lead to an upstream. It has no page of its own. */
export function upstreamStep(room: Interacting): Step {
  const { domain, upstreamClient, csrf, mark } = room;

  return {
    name: 'upstream',
    isNext: async () => false,
    async show() {},

    async submit(ctx, uid, form) {
      // The buttons are part of the sign-in form.
      const page = `/interaction/${uid}/login`;
      csrf.check(ctx, form, page, uid, page);
      const request = await loadRequest(ctx, room, uid);
      if (request.progress.missing !== 'login') return 'next';
      const whose = { interaction: uid, browser: request.browser };
      // Whoever came back unknown takes another way.
      await domain.upstreamRequests.takeAnswer(whose);
      if (!form['upstream']) return 'next';
      const upstream = await stillThere(ctx, room, whose, form['upstream']);
      if (!upstream || !isOffered(request, upstream)) return 'next';
      const { maxAge, loginHint, uiLocales, choose } = request;
      const errand = await domain.upstreamRequests.begin({
        whose,
        upstream: upstream.id,
        browser: mark.id(ctx),
        remember: form['remember'] !== undefined,
        ...(maxAge !== undefined && { maxAge }),
      });
      try {
        const provider = domain.upstreams.providerOf(upstream);
        const url = await upstreamClient.authorizationUrl(provider, errand, {
          loginHint: loginHint?.slice(0, 254),
          uiLocales: uiLocales?.slice(0, 200),
          choose,
        });
        return { to: url.href };
      } catch (error) {
        if (!(error instanceof UpstreamFailure)) throw error;
        await failed(ctx, room, whose, upstream, error);
        return 'next';
      }
    },
  };
}
