import type { Context } from 'koa';
import type { UnderWay } from '../../domain/index.ts';
import { HttpRefusal, sendOn } from '../../http/index.ts';
import { Refusal } from '../../lib/index.ts';
import { UpstreamFailure } from '../../upstream/index.ts';
import type { Interacting } from '../context.ts';
import { failed } from './failed.ts';

/**
 * Where an upstream sends people back to (RFC 6749 §4.1.2). The interaction's own cookie stays at home here; what binds the
 * answer to the browser that left is the mark it was given. What the upstream says is kept for the interaction, and the
 * person goes on there.
 */
export function answered(room: Interacting) {
  const { domain, upstreamClient, mark } = room;

  /** @throws HttpRefusal 400 where the answer belongs to nothing this browser began */
  async function take(ctx: Context, upstream: string, query: URLSearchParams) {
    const [state = '', ...more] = query.getAll('state');
    try {
      return await domain.upstreamRequests.take(more.length > 0 ? '' : state, { upstream, browser: mark.read(ctx) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new HttpRefusal(error.code, 'This answer of an upstream belongs to no sign-in that was begun here.', {
        status: 400,
        reason: error.code === 'upstream_request_unknown' ? 'expired' : 'upstream',
        rule: error.message,
        cause: error,
      });
    }
  }

  async function settle(ctx: Context, id: string, request: UnderWay, query: URLSearchParams): Promise<void> {
    const upstream = await domain.upstreams.get(id);
    // Removed while they were there.
    if (!upstream) return;
    const { uid, remember } = request;
    try {
      const profile = await upstreamClient.profile(domain.upstreams.providerOf(upstream), request, query);
      await domain.upstreamRequests.answer(uid, { upstream: id, vouched: { ...profile, remember } });
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
      await failed(ctx, room, uid, upstream, error);
    }
  }

  return async (ctx: Context, id: string): Promise<void> => {
    const query = new URLSearchParams(ctx.querystring);
    const { request, first } = await take(ctx, id, query);
    if (first) await settle(ctx, id, request, query);
    sendOn(ctx, `/interaction/${encodeURIComponent(request.uid)}/upstream`);
  };
}
