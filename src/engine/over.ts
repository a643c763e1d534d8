import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Domain, RegisteredClient } from '../domain/index.ts';
import type { Pace } from '../http/index.ts';
import { type Clock, seconds } from '../lib/index.ts';
import { onceMore } from './ask-again.ts';
import type { KeptAnswers } from './kept-answers.ts';
import { addressToAsk, type KeptRequests } from './kept-requests.ts';
import { namesNoSession } from './overtaken.ts';
import type { OwnBrowser } from './own-browser.ts';
import { currentUnit } from './unit.ts';

/** What a browser is answered where its interaction cannot go on. */
export type Over =
  /** It was answered to the end, and the answer did not arrive: it is given again. */
  | { readonly kind: 'lost'; readonly give: (ctx: Context) => void }
  /** Another tab's answer may be on its way to it: it asks the same again. */
  | { readonly kind: 'overtaken'; readonly to: string }
  /** It was answered to the end; whoever wants may ask the same once more. */
  | { readonly kind: 'answered'; readonly client: RegisteredClient; readonly ask: Ask; readonly uiLocales?: string }
  /** It ran out, or its session ended: the request is asked once more. */
  | { readonly kind: 'anew'; readonly ask: Ask };

/** Gives where to ask it, good for this once. */
type Ask = () => Promise<string>;

/** A second click comes after the first one's answer has left, and keeps the browser from following it. */
const DOUBLE_CLICK = seconds(10);

interface Options {
  readonly provider: Provider;
  readonly domain: Domain;
  readonly kept: KeptRequests;
  readonly answers: KeptAnswers;
  readonly browser: OwnBrowser;
  readonly pace: Pick<Pace, 'count'>;
  readonly now: Clock;
}

/**
 * What becomes of an interaction that is over. Who is signed in by now goes on silently only with a request that was
 * theirs already, or that nobody had begun to answer; else they are asked who they are.
 * @param said.cancelled it is by cancelling that it may have ended
 * @returns undefined where this browser never had it, or has forgotten it
 */
export const createOver =
  ({ provider, domain, kept, answers, browser, pace, now }: Options) =>
  async (ctx: Context, uid: string, { cancelled }: { readonly cancelled: boolean }): Promise<Over | undefined> => {
    const request = kept.read(ctx, uid);
    const client = request && (await domain.clients.get(String(request.params['client_id'] ?? '')));
    if (!request || !client) return undefined;
    // Nothing that was begun before it turned out to be over.
    currentUnit().clear();
    const session = await provider.Session.get(ctx);
    const key = answers.keyOf(kept.presented(ctx) ?? '', browser.known(ctx) ?? '');
    const lost = await answers.find(key);
    // Where the answer went, its cookie went along: a browser that is signed in by now may have brought the code there. One
    // that says no brings none, and is for who says so once more; whoever signs in after all wants another.
    if (lost && (lost.refuses ? cancelled : session.accountId === undefined)) return { kind: 'lost', give: lost.give };
    const later = namesNoSession(provider, ctx, session) ? onceMore(ctx, 1) : undefined;
    if (later) return { kind: 'overtaken', to: later };
    const posted = ctx.method === 'POST';
    const another = session.accountId !== undefined && session.accountId !== request.accountId;
    const ask = async () => {
      if (request.pushed) pace.count(ctx);
      return addressToAsk(provider, request, { choosing: another && (posted || request.accountId !== undefined) });
    };
    const answered = now() < request.until && (await provider.Interaction.find(uid)) === undefined;
    if (!answered || (posted && now() - (request.done ?? 0) < DOUBLE_CLICK)) return { kind: 'anew', ask };
    const { ui_locales: uiLocales } = request.params;
    return { kind: 'answered', client, ask, ...(typeof uiLocales === 'string' && { uiLocales }) };
  };
