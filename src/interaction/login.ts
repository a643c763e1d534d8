import type { Context } from 'koa';
import type { Person } from '../domain/index.ts';
import type { PendingRequest } from '../engine/index.ts';
import { allowFormRedirect, type Form, type PageData, readForm, stateOf } from '../http/index.ts';
import { Refusal } from '../lib/index.ts';
import { type Interacting, sendOn } from './context.ts';
import { loadRequest, refusingExpired, type Step } from './steps.ts';

type Failure = NonNullable<PageData['login']['error']>;

/** Who are you? An e-mail address and a password (NIST SP 800-63B-4 §3.1.1). */
export function loginStep(room: Interacting): Step {
  const { domain, interactions, pages, csrf, device, metrics } = room;

  async function ask(
    ctx: Context,
    request: PendingRequest,
    email: string,
    error?: Failure,
    status = 200,
  ): Promise<void> {
    const action = `/interaction/${request.uid}/login`;
    // The form may end at the client, by way of the engine.
    allowFormRedirect(ctx, request.redirectUri);
    pages.show(
      ctx,
      'login',
      {
        action,
        csrf: csrf.token(ctx, action, request.uid),
        email,
        error,
        client: { name: request.client.name, host: request.returnsTo },
        otherAccount: request.sessionAccountId !== undefined,
        cancel: true,
      },
      status,
    );
  }

  /** The address to begin with: the client's hint, else who is signed in on this browser. */
  async function suggestion({ loginHint, sessionAccountId }: PendingRequest): Promise<string> {
    const signedIn = sessionAccountId ? await domain.accounts.get(sessionAccountId) : undefined;
    return (loginHint ?? signedIn?.email ?? '').slice(0, 254);
  }

  /** The person, or what to tell whoever tried. */
  async function authenticate(
    ctx: Context,
    { email = '', password = '' }: Form,
  ): Promise<Person | { error: Failure; status: number }> {
    if (!email || !password) return { error: 'wrong', status: 400 };
    const verdict = await domain.guesses.begin({ email, address: stateOf(ctx).address ?? '', device: device.id(ctx) });
    if (!verdict.allowed) {
      metrics.signIn('limited');
      ctx.set('Retry-After', String(verdict.retryAfter));
      return { error: { tooMany: Math.ceil(verdict.retryAfter / 60) }, status: 429 };
    }
    try {
      const person = await domain.accounts.authenticate(email, password);
      await (person ? verdict.succeed() : verdict.fail());
      metrics.signIn(person ? 'succeeded' : 'wrong');
      return person ?? { error: 'wrong', status: 400 };
    } catch (error) {
      await verdict.release();
      if (!(error instanceof Refusal)) throw error;
      ctx.set('Retry-After', '1');
      return { error: 'busy', status: 503 };
    }
  }

  return {
    name: 'login',
    isNext: async (_ctx, request) => request.needsLogin,
    show: async (ctx, request) => ask(ctx, request, await suggestion(request)),

    async submit(ctx, uid) {
      const form = await readForm(ctx);
      // The interaction's cookie, which only this browser has, is compared with its uid when the request is loaded.
      csrf.check(ctx, form, ctx.path, uid);
      const request = await loadRequest(ctx, room, uid);
      if (form['decision'] === 'deny') {
        metrics.signIn('abandoned');
        return sendOn(ctx, await interactions.deny(ctx));
      }
      // Signed in meanwhile, in another tab or by a double click.
      if (!request.needsLogin) return sendOn(ctx, `/interaction/${uid}`);
      const person = await authenticate(ctx, form);
      if ('error' in person) return ask(ctx, request, form['email'] ?? '', person.error, person.status);
      const remember = form['remember'] !== undefined;
      const proof = { accountId: person.id, amr: ['pwd'], remember, epoch: person.epoch };
      const returnTo = await refusingExpired(() => interactions.signedIn(ctx, proof));
      sendOn(ctx, returnTo ?? `/interaction/${uid}`);
    },
  };
}
