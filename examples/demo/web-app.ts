/**
 * A sample web application: signs people in with openid-client (authorization code with PKCE), shows what it got, calls
 * the API, refreshes, signs out. Tokens stay on its server; the browser holds an httpOnly cookie.
 */
import { randomBytes } from 'node:crypto';
import Router from '@koa/router';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import Koa, { type Context } from 'koa';
import * as oidc from 'openid-client';
import { page, STYLE } from './web-app-pages.ts';

interface Options {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where browsers reach this application. */
  readonly url: string;
  readonly api: string;
  readonly audience: string;
}

type Tokens = oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers;

/** What is remembered about one browser. */
interface Session {
  readonly pending?: { readonly verifier: string; readonly state: string; readonly nonce: string };
  readonly tokens?: Tokens;
  readonly note?: string;
}

const COOKIE = 'photo-prints';

export async function createWebApp({ issuer, clientId, clientSecret, url, api, audience }: Options): Promise<Koa> {
  const config = await oidc.discovery(new URL(issuer), clientId, clientSecret, undefined, {
    // For this demo on loopback only: a real issuer is https.
    execute: [oidc.allowInsecureRequests],
  });
  const sessions = new Map<string, Session>();
  const callback = `${url}/callback`;

  const read = (ctx: Context): Session => sessions.get(ctx.cookies.get(COOKIE) ?? '') ?? {};
  const write = (ctx: Context, session: Session): void => {
    const id = ctx.cookies.get(COOKIE) ?? randomBytes(16).toString('base64url');
    sessions.set(id, session);
    ctx.cookies.set(COOKIE, id, { httpOnly: true, sameSite: 'lax' });
  };

  async function signIn(ctx: Context): Promise<void> {
    const pending = { verifier: oidc.randomPKCECodeVerifier(), state: oidc.randomState(), nonce: oidc.randomNonce() };
    write(ctx, { pending });
    const to = oidc.buildAuthorizationUrl(config, {
      redirect_uri: callback,
      scope: 'openid profile email files.read',
      resource: audience,
      code_challenge: await oidc.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
      state: pending.state,
      nonce: pending.nonce,
    });
    ctx.redirect(to.href);
  }

  async function signedIn(ctx: Context): Promise<void> {
    const { pending } = read(ctx);
    if (!pending) return ctx.redirect('/');
    try {
      const tokens = await oidc.authorizationCodeGrant(config, new URL(ctx.originalUrl, url), {
        pkceCodeVerifier: pending.verifier,
        expectedState: pending.state,
        expectedNonce: pending.nonce,
      });
      write(ctx, { tokens });
    } catch (error) {
      const refused = error instanceof oidc.AuthorizationResponseError && error.error === 'access_denied';
      write(ctx, {
        note: refused ? 'You did not allow it. Nothing was shared.' : `Sign-in failed: ${(error as Error).message}`,
      });
    }
    ctx.redirect('/');
  }

  async function refresh(ctx: Context): Promise<void> {
    const { tokens } = read(ctx);
    if (!tokens?.refresh_token) return ctx.redirect('/');
    try {
      const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token);
      write(ctx, { tokens: fresh, note: 'Refreshed: every token below is new.' });
    } catch (error) {
      write(ctx, { note: `The sign-in is over: ${(error as Error).message}` });
    }
    ctx.redirect('/');
  }

  function signOut(ctx: Context): void {
    const { tokens } = read(ctx);
    write(ctx, {});
    ctx.redirect(
      oidc.buildEndSessionUrl(config, {
        post_logout_redirect_uri: `${url}/`,
        ...(tokens?.id_token && { id_token_hint: tokens.id_token }),
      }).href,
    );
  }

  async function home(ctx: Context): Promise<void> {
    const { tokens, note } = read(ctx);
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-store');
    ctx.set(
      'Content-Security-Policy',
      "default-src 'none'; style-src 'self'; form-action 'self' http: https:; frame-ancestors 'none'",
    );
    if (!tokens) {
      ctx.body = page({ note });
      return;
    }
    const answers = await Promise.all(['GET', 'POST'].map((method) => callApi(method, tokens.access_token)));
    ctx.body = page({
      note,
      name: String(tokens.claims()?.['name'] ?? tokens.claims()?.sub),
      tokens: [
        { title: 'ID token', about: 'tells this application who you are', ...decoded(tokens.id_token ?? '') },
        { title: 'Access token', about: 'is for the API', ...decoded(tokens.access_token) },
        { title: 'Refresh token', about: 'gets new ones; no API accepts it', ...decoded(tokens.refresh_token ?? '') },
      ],
      answers,
    });
  }

  async function callApi(method: string, token: string) {
    const response = await fetch(`${api}/files`, { method, headers: { authorization: `Bearer ${token}` } });
    return {
      request: `${method} ${api}/files`,
      status: response.status,
      body: JSON.stringify(await response.json(), null, 2),
    };
  }

  const router = new Router();
  router.get('/', home);
  router.post('/sign-in', signIn);
  router.get('/callback', signedIn);
  router.post('/refresh', refresh);
  router.post('/sign-out', signOut);
  router.get('/style.css', (ctx) => {
    ctx.type = 'css';
    ctx.body = STYLE;
  });
  const app = new Koa();
  app.use(router.routes());
  return app;
}

const decoded = (jwt: string) => ({
  header: JSON.stringify(decodeProtectedHeader(jwt), null, 2),
  claims: JSON.stringify(decodeJwt(jwt), null, 2),
});
