import type { Context, Middleware } from 'koa';
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { sendOn } from '../http/index.ts';
import { askAgain, onceMore } from './ask-again.ts';
import type { KeptAnswers } from './kept-answers.ts';
import type { OwnBrowser } from './own-browser.ts';
import type { Stored } from './proofs.ts';
import { refusalOf, takeBack } from './refused.ts';
import { currentUnit } from './unit.ts';

/** In the query of where a browser is led on whose interaction the engine does not find. */
export const CUT_OFF = 'cut-off';

type Session = { readonly jti: string; readonly oldId?: string };

/** Whether the browser names a session that is not there: it ended, or another tab's answer has just given it a new name. */
export function namesNoSession(
  provider: Provider,
  ctx: Pick<Context, 'cookies'>,
  session: Session | undefined,
): boolean {
  const named = ctx.cookies.get(provider.cookieName('session'));
  return named !== undefined && session !== undefined && ![session.jti, session.oldId].includes(named);
}

/**
 * Stands within {@link oneCommit}. The engine renames the session with each answer to an interaction; a request that set
 * out from another tab before that, and is read after it, names a session which is there no more. Left alone, the engine
 * would refuse it, and give the browser an empty session in place of the one it has.
 */
export function carryOn(provider: Provider, answers: KeptAnswers, browser: OwnBrowser): Middleware {
  const lost = (ctx: KoaContextWithOIDC) => namesNoSession(provider, ctx, ctx.oidc.session);

  /** Where it asks again, where that may help. */
  async function againOf(ctx: KoaContextWithOIDC): Promise<string | undefined> {
    if (!lost(ctx)) return undefined;
    if (ctx.oidc.route === 'authorization') return onceMore(ctx, 1);
    const uid = ctx.oidc.entities.Interaction?.session?.uid;
    return uid && (await provider.Session.findByUid(uid)) ? onceMore(ctx) : undefined;
  }

  const isCutOff = (ctx: Context): boolean => refusalOf(ctx) instanceof errors.SessionNotFound;

  return async (ctx, next) => {
    await next();
    const engine = ctx as unknown as KoaContextWithOIDC;
    const { overtaken, failure }: { overtaken?: string; failure?: unknown } = ctx.state;
    if (failure !== undefined) return;
    const route = engine.oidc?.route;
    const isBack = route === 'resume' || route === 'device_resume';
    const result = isBack ? (engine.oidc.result as Stored['result']) : undefined;
    const cutOff = (route === 'resume' && isCutOff(ctx)) || browser.isAnothers(ctx, result);
    const again = overtaken ?? (cutOff || route === 'authorization' ? await againOf(engine) : undefined);
    if (!again && !cutOff) {
      const { answerKey } = (route === 'resume' && (result ?? refusedIn(engine))) || {};
      if (answerKey) answers.keep(ctx, answerKey, { refuses: !result });
      return;
    }
    takeBack(ctx);
    currentUnit().clear();
    if (again) return askAgain(ctx, again);
    // The interaction's own page knows what to show where it cannot go on.
    ctx.remove('Set-Cookie');
    sendOn(ctx, `/interaction/${encodeURIComponent(uidOf(ctx))}/again?${CUT_OFF}`);
  };
}

/** What is stored of an interaction that the engine ended with an error: it does not say so itself. */
function refusedIn({ oidc }: KoaContextWithOIDC): Stored['result'] {
  const { result } = (oidc.entities.Interaction ?? {}) as Partial<Stored>;
  return result?.error === undefined ? undefined : result;
}

/** Has the browser ask the same again once this request is over, from within the engine. */
export function markOvertaken(ctx: KoaContextWithOIDC, again: string): void {
  (ctx.state as { overtaken?: string }).overtaken = again;
}

const uidOf = ({ path }: Pick<Context, 'path'>): string => path.split('/').at(-1) ?? '';
