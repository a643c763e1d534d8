import type { Context } from 'koa';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { type Clock, deriveKey, seal, seconds, sha256, unseal } from '../lib/index.ts';
import { currentUnit } from './unit.ts';

/** The answer that ends an interaction. */
interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: unknown;
  /**
   * Ids of the rows that it is good for nothing without: of the session that it names, and of the code that it brings. One
   * that only says no needs neither.
   */
  readonly session?: string | undefined;
  readonly code?: string | undefined;
}

export type KeptAnswers = ReturnType<typeof createKeptAnswers>;

/**
 * Time for a second click, and to reload a page that did not come. No longer: of a browser that was closed meanwhile and opened
 * by somebody else nothing tells that it is another's.
 */
const LIFETIME = seconds(10);

/** What makes it that answer. Everything else is every answer's own. */
const HEADERS = ['Location', 'Content-Type', 'Content-Security-Policy'];

const TABLE = 'interactions';

/**
 * The answer that ends an interaction brings the session's cookie and the code, and it can be lost: by the second of two
 * clicks, which takes its place, or on the way. It is kept for a moment in the commit that it tells of, and given again to
 * the browser that sent the last form of the interaction, which alone was given what it is sealed under: that form's own
 * answer kept the request there anew (kept-requests.ts). Whoever knows only how the interaction began does not have it.
 */
export function createKeptAnswers({ now }: { readonly now: Clock }) {
  return {
    /**
     * What an answer will be sealed under.
     * @param kept what the browser was given with the last form's answer @param browser whose answer it is (own-browser.ts)
     */
    keyOf: (kept: string, browser: string): string =>
      Buffer.from(deriveKey(`${browser}|${kept}`, 'interaction-answer')).toString('base64url'),

    /** Keeps what the engine has just answered. */
    keep(ctx: Context, key: string, { refuses }: { readonly refuses: boolean }): void {
      const { oidc } = ctx as unknown as KoaContextWithOIDC;
      const code = oidc.entities.AuthorizationCode?.jti;
      const answer: KeptAnswer = {
        status: ctx.status,
        headers: Object.fromEntries(HEADERS.map((name) => [name, ctx.response.get(name)])),
        cookies: refuses ? [] : [ctx.response.get('Set-Cookie')].flat(),
        body: ctx.body,
        session: refuses ? undefined : sha256((oidc.session as InstanceType<Provider['Session']>).jti),
        code: code && sha256(code),
      };
      const id = sha256(key);
      const sealed = seal(Buffer.from(key, 'base64url'), id, JSON.stringify(answer));
      // A form of its own that says no is a 400.
      currentUnit().put(TABLE, id, { sealed }, { expiresAt: now() + LIFETIME, urgent: refuses });
    },

    /** Gives how to answer so again; undefined where what it tells of has ended. */
    async find(key: string): Promise<{ refuses: boolean; give: (ctx: Context) => void } | undefined> {
      const unit = currentUnit();
      const row = await unit.get(TABLE, sha256(key));
      if (!row) return undefined;
      const answer = JSON.parse(unseal(Buffer.from(key, 'base64url'), row.id, row.record.sealed)) as KeptAnswer;
      const found = { refuses: answer.session === undefined, give: (ctx: Context) => give(ctx, answer) };
      if (answer.session === undefined) return found;
      const [session, code] = await Promise.all([
        unit.get('sessions', answer.session),
        answer.code === undefined ? undefined : unit.get('authorization_codes', answer.code),
      ]);
      return session && (answer.code === undefined || (code && !code.record.consumedAt)) ? found : undefined;
    },
  };
}

function give(ctx: Context, { status, headers, cookies, body }: KeptAnswer): void {
  ctx.status = status;
  ctx.body = body;
  for (const [name, value] of Object.entries(headers)) if (value) ctx.set(name, value);
  ctx.append('Set-Cookie', [...cookies]);
}
