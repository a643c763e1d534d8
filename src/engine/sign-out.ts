import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { type Keys, sessionIdOf } from '../domain/index.ts';
import { type Csrf, sendOn } from '../http/index.ts';
import { onceMore } from './ask-again.ts';
import type { Shows } from './configuration.ts';
import { claimsIn, kidOf } from './jwt.ts';
import { markOvertaken, namesNoSession } from './overtaken.ts';
import { currentUnit } from './unit.ts';

/** What a sign-out form says it is about. */
interface Said {
  /** Names the session that is to end. */
  readonly session: string;
  /** The application that asks. */
  readonly client?: string | undefined;
  /** Where it wants the browser back (OIDC RP-Initiated Logout 1.0 §2); registered for it. */
  readonly to?: string | undefined;
  readonly state?: string | undefined;
  /** The languages it wants people asked in. */
  readonly locales?: string | undefined;
}

interface SignOut {
  readonly keys: Pick<Keys, 'published'>;
  readonly shows: Pick<Shows, 'signOut'>;
  readonly csrf: Csrf;
}

type Session = InstanceType<Provider['Session']> & { state?: object };
type Next = () => Promise<void>;

const PATH = '/logout';
const CONFIRM = `${PATH}/confirm`;

const installed = new WeakMap<object, SignOut>();

/**
 * The engine keeps one sign-out form for each session, so the page of one tab makes that of another worthless, and the
 * slower of two has no session to be found in. Ours says itself what it is about, signed for its session; where that is
 * over, there is nothing left to end, and the answer is what the faster one got.
 */
export const installSignOut = (provider: Provider, signOut: SignOut): void => void installed.set(provider, signOut);

const signOutOf = ({ oidc }: KoaContextWithOIDC): SignOut => {
  const found = installed.get(oidc.provider);
  if (!found) throw new Error('installSignOut was not called for this provider');
  return found;
};

const sessionOf = ({ oidc }: KoaContextWithOIDC): Session => oidc.session as Session;

const isLost = (ctx: KoaContextWithOIDC): boolean => namesNoSession(ctx.oidc.provider as Provider, ctx, sessionOf(ctx));

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/**
 * Goes before the engine's own step, which refuses an ID token that it cannot check, or whose application was removed: its person
 * would stay signed in because a key was revoked, or is gone that was replaced long ago. They are asked in any case, so it says
 * no more than which application sends them, as `client_id` does without any proof.
 */
export async function outliveHint(ctx: KoaContextWithOIDC, next: Next): Promise<void> {
  const provider = ctx.oidc.provider as Provider;
  const params = (ctx.oidc.params ?? {}) as Record<string, unknown>;
  const hint = text(params['id_token_hint']) ?? '';
  const { iss, aud } = claimsIn(hint) ?? {};
  const { client_id: named = aud } = params;
  if (iss === provider.issuer && typeof aud === 'string' && named === aud) {
    const isThere = (await provider.Client.find(aud)) !== undefined;
    const isSignedByUs = signOutOf(ctx)
      .keys.published()
      .some(({ kid }) => kid === kidOf(hint));
    if (!isThere || !isSignedByUs)
      Object.assign(params, { id_token_hint: undefined, client_id: isThere ? aud : undefined });
  }
  await next();
}

/** Takes the place of the engine's own step. */
export async function askWhetherToSignOut(ctx: KoaContextWithOIDC): Promise<void> {
  const { shows, csrf } = signOutOf(ctx);
  const { accountId, uid } = sessionOf(ctx);
  const { params = {}, client } = ctx.oidc;
  const [to, state] = [text(params['post_logout_redirect_uri']), text(params['state'])];
  const locales = text(params['ui_locales']);
  if (!accountId) {
    const again = isLost(ctx) ? onceMore(ctx, 1) : undefined;
    if (again) return markOvertaken(ctx, again);
    return sendOn(ctx as unknown as Context, returnTo({ to, state, locales }));
  }
  const said: Said = { session: sessionIdOf(uid), client: client?.clientId, to, state, locales };
  const about = Buffer.from(JSON.stringify(said)).toString('base64url');
  const token = csrf.token(ctx, actionOf(about), said.session);
  await shows.signOut(ctx, { action: CONFIRM, fields: { xsrf: `${token}.${about}` } });
}

/** Goes before the engine's own step, which then finds the session as if it had kept this form. */
export async function believeSignOutForm(ctx: KoaContextWithOIDC, next: Next): Promise<void> {
  const [token = '', about] = String(ctx.oidc.params?.['xsrf'] ?? '').split('.');
  // The engine's own form, by which one person makes place for another.
  if (about === undefined) return next();
  const said = opened(about);
  signOutOf(ctx).csrf.check(ctx, { csrf: token }, actionOf(about), said.session);
  const session = sessionOf(ctx);
  if (!session.accountId) {
    const lives = isLost(ctx) && (await currentUnit().find('sessions', 'uid', said.session)).length > 0;
    const again = lives ? onceMore(ctx) : undefined;
    if (again) return markOvertaken(ctx, again);
  } else if (sessionIdOf(session.uid) !== said.session) {
    // Somebody else signed in meanwhile, and is asked themselves.
    return sendOn(ctx, `${PATH}?${queryOf(said)}`);
  }
  const secret = randomBytes(16).toString('base64url');
  const { client, to } = await whatIsLeft(ctx, said);
  session.state = { secret, clientId: client, postLogoutRedirectUri: to, state: said.state };
  // With nobody signed in there is nothing of which to leave all but one application.
  Object.assign(ctx.oidc.params ?? {}, { xsrf: secret, ...(!session.accountId && { logout: 'yes' }) });
  await next();
  // The engine's own last page has no word of its parameters.
  if (!to && said.locales && ctx.status === 303) {
    const last = new URL(ctx.response.get('Location'));
    last.searchParams.set('ui_locales', said.locales);
    ctx.redirect(last.href);
  }
}

/** The application and its address as far as they are registered still: a page may be open for as long as its session lasts. */
async function whatIsLeft({ oidc }: KoaContextWithOIDC, { client: id, to }: Partial<Said>): Promise<Partial<Said>> {
  const client = id === undefined ? undefined : await (oidc.provider as Provider).Client.find(id);
  if (!client) return {};
  return { client: id, to: to !== undefined && client.postLogoutRedirectUriAllowed(to) ? to : undefined };
}

/** What a token of the form is for: this page, and what the form says. */
const actionOf = (about: string): string => `${CONFIRM}?${about}`;

/** Worth nothing until its token was checked. */
function opened(about: string): Partial<Said> & { session: string } {
  try {
    const said = JSON.parse(Buffer.from(about, 'base64url').toString()) as Partial<Said> | null;
    return { ...said, session: String(said?.session) };
  } catch {
    return { session: '' };
  }
}

function returnTo({ to, state, locales }: Pick<Said, 'to' | 'state' | 'locales'>): string {
  if (!to) return `${PATH}/success${locales ? `?${new URLSearchParams({ ui_locales: locales })}` : ''}`;
  const url = new URL(to);
  if (state !== undefined) url.searchParams.set('state', state);
  return url.href;
}

function queryOf({ client, to, state, locales }: Partial<Said>): URLSearchParams {
  const asked = { client_id: client, post_logout_redirect_uri: to, state, ui_locales: locales };
  return new URLSearchParams(
    Object.entries(asked).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
