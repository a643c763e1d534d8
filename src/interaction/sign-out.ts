import type { Context } from 'koa';
import type { Domain } from '../domain/index.ts';
import type { Shows } from '../engine/index.ts';
import { allowFormRedirect, type Pages } from '../http/index.ts';

/** The pages of signing out (OIDC RP-Initiated Logout 1.0), which the engine asks for. */
export function signOutPages({ domain, pages }: { readonly domain: Domain; readonly pages: Pages }): Shows {
  return {
    async signOut(ctx, { action, fields }) {
      const koa = ctx as unknown as Context;
      ctx.state['uiLocales'] = ctx.oidc.params?.['ui_locales'];
      const accountId = ctx.oidc.session?.accountId;
      const person = accountId ? await domain.accounts.get(accountId) : undefined;
      const name = ctx.oidc.client?.clientName;
      // The browser goes on to the client's post_logout_redirect_uri.
      allowFormRedirect(koa, String(ctx.oidc.params?.['post_logout_redirect_uri'] ?? ''));
      pages.show(koa, 'logout', { action, fields, ...(person && { person }), ...(name && { client: { name } }) });
    },

    async signedOut(ctx) {
      ctx.state['uiLocales'] = ctx.query['ui_locales'];
      pages.show(ctx, 'signed-out', {});
    },
  };
}
