import type { Context } from 'koa';
import { askAgain, CUT_OFF } from '../engine/index.ts';
import { HttpRefusal, sendOn } from '../http/index.ts';
import type { Interacting } from './context.ts';

/** What somebody says where the interaction is over. */
interface Said {
  /** They want to go on all the same. */
  readonly asked?: boolean;
  /** It is by cancelling that it may have ended. */
  readonly cancelled?: boolean;
}

/** Has a page of an interaction lead on where the interaction cannot. */
export async function unlessOver(
  ctx: Context,
  room: Interacting,
  uid: string,
  work: () => Promise<void>,
  said: Said = {},
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof HttpRefusal) || error.code !== 'request_expired') throw error;
    await leadOn(ctx, room, uid, error, said);
  }
}

/** Somebody says that they want to go on although it is over, or the engine could not: then they may have cancelled it. */
export const anew = (ctx: Context, room: Interacting, uid: string): Promise<void> =>
  leadOn(ctx, room, uid, overHere(), { asked: true, cancelled: ctx.query[CUT_OFF] !== undefined });

async function leadOn(
  ctx: Context,
  { interactions, pages }: Interacting,
  uid: string,
  refusal: HttpRefusal,
  { asked = false, cancelled = false }: Said,
) {
  const over = await interactions.over(ctx, uid, { cancelled });
  // Without its cookies nobody knows what it was about.
  if (!over) throw ctx.get('Cookie') ? refusal : withoutCookies(refusal);
  if (over.kind === 'lost') return over.give(ctx);
  if (over.kind === 'overtaken') return askAgain(ctx, over.to);
  if (over.kind === 'anew' || asked) return sendOn(ctx, await over.ask());
  ctx.state['uiLocales'] = over.uiLocales;
  pages.show(ctx, 'answered', {
    client: { name: over.client.name },
    again: `/interaction/${encodeURIComponent(uid)}/again`,
  });
}

/** The request is over, was never this browser's, or its session has ended. */
export const overHere = (cause?: Error): HttpRefusal =>
  new HttpRefusal('request_expired', 'This sign-in took too long or was already finished.', {
    status: 400,
    reason: 'expired',
    rule: cause?.message ?? 'the request is over',
    cause,
  });

const withoutCookies = ({ rule }: HttpRefusal): HttpRefusal =>
  new HttpRefusal('no_cookies', 'This page was opened by itself, or the browser keeps no cookies of this site.', {
    status: 400,
    reason: 'cookies',
    rule: `${rule}; the browser sent no cookie at all`,
  });
