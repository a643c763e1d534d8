import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import { browserCookie, createSigner, type Secrets } from './cookies.ts';
import type { ErrorReason } from './pages.ts';
import { HttpRefusal } from './refusals.ts';

/** The name of the hidden field. */
export const CSRF_FIELD = 'csrf';

const TOKEN = /^([A-Za-z0-9_-]{22})([A-Za-z0-9_-]{43})$/;

export type Csrf = ReturnType<typeof createCsrf>;

/**
 * Proof that a form was shown by us to the browser that sends it: a token that only we can make for the browser's cookie
 * and the form's action (signed double submit). Nothing is stored.
 */
export function createCsrf({ issuer, secrets }: { readonly issuer: string; readonly secrets: Secrets }) {
  // Lax, not Strict: people arrive from the client's site, and a Strict cookie left at home would be made anew, which would
  // void the forms in their other tabs.
  const browser = browserCookie(issuer, 'csrf');
  const signer = createSigner(secrets, 'csrf');
  const signed = (salt: string, sender: string, action: string) => `${salt}|${sender}|${action}`;

  /**
   * The token for a form that will be sent to `action` (a path; this page's own unless given). Sets the cookie where the
   * browser has none. Every call gives another token, so that compression gives nothing away (BREACH).
   * @param boundTo something only this browser can present with the form, in place of our cookie; whoever takes the form
   * must see to it that it was presented. Tabs that open side by side each have their own, where they race for a cookie.
   */
  function token(ctx: Context, action: string = ctx.path, boundTo?: string): string {
    const salt = randomBytes(16).toString('base64url');
    return salt + signer.sign(signed(salt, boundTo ?? browser.id(ctx), action));
  }

  /**
   * Call it with the form's fields before anything is believed of them.
   * @param retry where a person finds the form anew
   * @throws HttpRefusal 403 when another site sent the form, or the token is not for this browser and this action.
   */
  function check(
    ctx: Context,
    form: Readonly<Record<string, string | undefined>>,
    action: string = ctx.path,
    boundTo?: string,
    retry?: string,
  ): void {
    const refused = (rule: string, reason: ErrorReason = 'form') =>
      new HttpRefusal('csrf', 'This form has expired. Go back, reload the page and try again.', {
        status: 403,
        error: 'access_denied',
        reason,
        rule,
        retry,
      });
    const site = ctx.get('Sec-Fetch-Site');
    if (site === 'cross-site' || site === 'same-site') throw refused(`the form was sent by another site (${site})`);
    // Our own pages send `null`, as `Referrer-Policy: no-referrer` has it (Fetch, "append a request Origin header").
    const origin = ctx.get('Origin');
    if (origin && origin !== 'null' && origin !== issuer) throw refused('the form was sent from another origin');
    const sender = boundTo ?? browser.read(ctx);
    if (!sender) throw refused('the form came without its cookie', 'formCookies');
    const [, salt, signature] = TOKEN.exec(form[CSRF_FIELD] ?? '') ?? [];
    if (!salt || !signature) throw refused('the form came without its token');
    if (!signer.verify(signed(salt, sender, action), signature))
      throw refused('the token of the form belongs to another browser or another form, or its key has been replaced');
  }

  return { token, check };
}
