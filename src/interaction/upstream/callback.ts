import type { Context } from 'koa';
import type { RegisteredUpstream, UnderWay } from '../../domain/index.ts';
import { HttpRefusal, sendOn } from '../../http/index.ts';
import { Refusal } from '../../lib/index.ts';
import { UpstreamFailure } from '../../upstream/index.ts';
import type { Interacting } from '../context.ts';
import { failed, stillThere } from './failed.ts';
import { linkTo } from './links.ts';

/**
 * Where an upstream sends people back to (RFC 6749 §4.1.2). The interaction's own cookie stays at home here; what binds the
 * answer to the browser that left is the mark it was given. What the upstream says is kept for the interaction, and the
 * person goes on there; or it is linked to the account of whoever began that on their own page.
 */
export function answered(room: Interacting) {
  const { domain, upstreamClient, mark, ownSessions } = room;

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

  /** Who came back; undefined where nobody did, which is written down. */
  async function profileOf(ctx: Context, upstream: RegisteredUpstream, request: UnderWay, query: URLSearchParams) {
    try {
      return await upstreamClient.profile(domain.upstreams.providerOf(upstream), request, query);
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
      await failed(ctx, room, request.whose, upstream, error);
      return undefined;
    }
  }

  /** @throws HttpRefusal 400 where whoever went to link something has signed out meanwhile, or is somebody else now */
  async function checkOwner(ctx: Context, { whose }: UnderWay): Promise<void> {
    if ('interaction' in whose) return;
    const me = await ownSessions.current(ctx);
    if (me?.sessionId !== whose.session || me.person.id !== whose.accountId) throw otherSession();
  }

  /** @throws HttpRefusal 400 where the session ended while the upstream was asked */
  async function linkOf(
    { accountId, session }: { readonly accountId: string; readonly session: string },
    somebody: Parameters<typeof linkTo>[2],
  ) {
    try {
      return await linkTo(room, accountId, somebody, session);
    } catch (error) {
      throw error instanceof Refusal && error.code === 'session_over' ? otherSession() : error;
    }
  }

  async function settle(ctx: Context, id: string, request: UnderWay, query: URLSearchParams): Promise<void> {
    const upstream = await stillThere(ctx, room, request.whose, id);
    const profile = upstream && (await profileOf(ctx, upstream, request, query));
    if (!upstream || !profile) return;
    const { whose, remember } = request;
    const answer =
      'interaction' in whose
        ? { issuer: upstream.issuer, vouched: { ...profile, remember } }
        : { linked: await linkOf(whose, { upstream, ...profile }) };
    await domain.upstreamRequests.answer(whose, { upstream: id, ...answer });
  }

  return async (ctx: Context, id: string): Promise<void> => {
    const query = new URLSearchParams(ctx.querystring);
    const { request, first } = await take(ctx, id, query);
    await checkOwner(ctx, request);
    if (first) await settle(ctx, id, request, query);
    const { whose } = request;
    sendOn(ctx, 'interaction' in whose ? `/interaction/${encodeURIComponent(whose.interaction)}/upstream` : whose.to);
  };
}

const otherSession = (): HttpRefusal =>
  new HttpRefusal('upstream_other_session', 'This answer of an upstream belongs to another session.', {
    status: 400,
    reason: 'upstream',
    rule: 'an upstream is linked in the session that began it',
  });
