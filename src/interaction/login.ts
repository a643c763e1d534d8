import type { Context } from 'koa';
import type { PendingRequest } from '../engine/index.ts';
import { allowFormRedirect, type Form } from '../http/index.ts';
import { during, type Interacting } from './context.ts';
import { guarded, type Refused, trusted, WRONG, WRONG_PASSKEY } from './guarded.ts';
import { loadRequest, type Step } from './steps.ts';
import { offersOf } from './upstream/offers.ts';

/** Who are you? An e-mail address and a password (NIST SP 800-63B-4 §3.1.1), or a passkey that says both. */
export function loginStep(room: Interacting): Step {
  const { domain, interactions, pages, passkeys, csrf, metrics } = room;

  /** @param form what was sent, where that is why it is asked once more */
  async function ask(ctx: Context, request: PendingRequest, email: string, form?: Form, refused?: Refused) {
    const action = `/interaction/${request.uid}/login`;
    const { places, error, ...offers } = await offersOf(room, request);
    // The form may end at the client, by way of the engine, or at an upstream.
    allowFormRedirect(ctx, request.redirectUri, ...places);
    pages.show(
      ctx,
      'login',
      {
        action,
        csrf: csrf.token(ctx, action, request.uid),
        email,
        forgetful: form && form['remember'] === undefined,
        error: refused?.error ?? error,
        ...offers,
        passkey: passkeys.available ? await passkeys.askAnybody(during(request.uid)) : undefined,
        client: { name: request.client.name, host: request.returnsTo },
        otherAccount: request.sessionAccountId !== undefined,
        cancel: true,
        ...waysIn(room, request),
      },
      refused?.status,
    );
  }

  /** The address to begin with: whom they chose, the client's hint, else who is signed in on this browser. */
  async function suggestion({ chosen, loginHint, sessionAccountId }: PendingRequest): Promise<string> {
    if (chosen !== undefined) return chosen;
    const signedIn = sessionAccountId ? await domain.accounts.get(sessionAccountId) : undefined;
    return (loginHint ?? signedIn?.email ?? '').slice(0, 254);
  }

  async function byPassword(ctx: Context, { email = '', password = '' }: Form) {
    if (!email || !password) return WRONG;
    const result = await guarded(ctx, room, { email }, () => domain.accounts.authenticate(email, password));
    return 'error' in result ? result : { person: result.won, amr: ['pwd'], settle: result.settle };
  }

  /** One answer for an unknown, foreign, wrong or used one, and for the passkey of somebody who is disabled. */
  async function byPasskey(ctx: Context, uid: string, answer: string) {
    const answered = await passkeys.verifyAnybody(during(uid), answer);
    const person = answered && (await domain.accounts.get(answered.factor.accountId));
    if (!person || person.disabled || !(await answered.use())) {
      metrics.signIn('wrong');
      return WRONG_PASSKEY;
    }
    return { person, amr: answered.amr, settle: (signedIn: boolean) => trusted(ctx, room, person, signedIn) };
  }

  return {
    name: 'login',
    isNext: async (_ctx, { progress }) => progress.missing === 'login',
    show: async (ctx, request) => ask(ctx, request, await suggestion(request)),

    async submit(ctx, uid, form) {
      // The interaction's cookie, which only this browser has, is compared with its uid when the request is loaded.
      csrf.check(ctx, form, ctx.path, uid, ctx.path);
      const request = await loadRequest(ctx, room, uid);
      if (form['decision'] === 'deny') {
        metrics.signIn('abandoned');
        return { to: await interactions.deny(ctx) };
      }
      // Signed in meanwhile, in another tab or by a double click.
      if (request.progress.missing !== 'login') return 'next';
      const result = form['passkey'] ? await byPasskey(ctx, uid, form['passkey']) : await byPassword(ctx, form);
      if ('error' in result) {
        await ask(ctx, request, form['email'] ?? '', form, result);
        return 'shown';
      }
      const { id, epoch } = result.person;
      const remember = form['remember'] !== undefined;
      const away = await interactions.proved(ctx, { accountId: id, amr: result.amr, remember, epoch });
      await result.settle((await loadRequest(ctx, room, uid)).progress.missing === undefined);
      return away ? { to: away } : 'next';
    },
  };
}

/** For who has no password, or not any more: pages of account/, which lead back here. */
function waysIn({ settings }: Interacting, { uid, uiLocales }: PendingRequest) {
  const trail = new URLSearchParams({ interaction: uid, ...(uiLocales && { ui_locales: uiLocales }) });
  const newcomers = {
    off: undefined,
    invitation: 'invitation',
    open: { signUp: `/account/sign-up?${trail}` },
  } as const;
  return { forgot: `/account/forgot?${trail}`, newcomers: newcomers[settings.sign_up] };
}
