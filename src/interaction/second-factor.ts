import type { Context } from 'koa';
import type { PendingRequest, Progress } from '../engine/index.ts';
import { verifyCode } from '../factors/index.ts';
import { allowFormRedirect, type Form, stateOf } from '../http/index.ts';
import { during, type Interacting, ofPerson } from './context.ts';
import { guarded, type Refused, trusted, WRONG, WRONG_PASSKEY } from './guarded.ts';
import { loadRequest, type Step, type Taken } from './steps.ts';

type Asked = Extract<Progress, { readonly with: unknown }>;

/** Something you have: a passkey, an authenticator app, a code on paper (NIST SP 800-63B-4 §2.2). */
export function secondFactorStep(room: Interacting): Step {
  const { domain, interactions, pages, passkeys, csrf, metrics } = room;

  async function ask(ctx: Context, request: PendingRequest, asked: Asked, refused?: Refused): Promise<void> {
    const { person } = asked;
    const keys = passkeys.available ? asked.with.flatMap((each) => (each.kind === 'passkey' ? [each] : [])) : [];
    const action = `/interaction/${request.uid}/second-factor`;
    allowFormRedirect(ctx, request.redirectUri);
    pages.show(
      ctx,
      'second-factor',
      {
        action,
        csrf: csrf.token(ctx, action, ofPerson(request.uid, person.id)),
        person: { email: person.email },
        client: { name: request.client.name, host: request.returnsTo },
        kinds: [...new Set(asked.with.map(({ kind }) => kind))],
        mailed: await domain.mailedCodes.isOut({ person, interaction: request.uid }),
        passkey: keys.length > 0 ? await passkeys.ask(during(request.uid), person, keys) : undefined,
        error: refused?.error,
      },
      refused?.status,
    );
  }

  /** Mails a code, where one would do. That it was, the page then sees in what is stored. */
  async function mailCode(ctx: Context, request: PendingRequest, asked: Asked): Promise<Taken> {
    if (!asked.with.some(({ kind }) => kind === 'email')) return 'next';
    const signingIn = { person: asked.person, interaction: request.uid };
    const wait = await domain.mailedCodes.send(signingIn, pages.localeOf(ctx), stateOf(ctx).address ?? '');
    if (wait === undefined) return 'next';
    metrics.signIn('limited');
    ctx.set('Retry-After', String(wait));
    await ask(ctx, request, asked, { error: { tooMany: Math.ceil(wait / 60) }, status: 429 });
    return 'shown';
  }

  async function byCode(ctx: Context, interaction: string, { person, with: own }: Asked, code: string) {
    if (!code) return WRONG;
    const about = { email: person.email, secondFactor: true };
    const { factors, recoveryCodes, mailedCodes } = domain;
    const result = await guarded(ctx, room, about, () =>
      verifyCode({ factors, recoveryCodes, mailedCodes, interaction, now: Date.now }, person, own, code),
    );
    return 'error' in result ? result : { amr: result.won.amr, settle: result.settle };
  }

  async function byPasskey(ctx: Context, uid: string, { person }: Asked, answer: string) {
    const answered = await passkeys.verify(during(uid), answer, person);
    if (!(await answered?.use())) {
      metrics.signIn('wrong');
      return WRONG_PASSKEY;
    }
    return { amr: answered!.amr, settle: (signedIn: boolean) => trusted(ctx, room, person, signedIn) };
  }

  /** Which of the two it is the form says. */
  const prove = (ctx: Context, uid: string, asked: Asked, { passkey, code = '' }: Form) =>
    passkey ? byPasskey(ctx, uid, asked, passkey) : byCode(ctx, uid, asked, code);

  return {
    name: 'second-factor',
    isNext: async (_ctx, { progress }) => progress.missing === 'factor',
    async show(ctx, request) {
      if (request.progress.missing === 'factor') await ask(ctx, request, request.progress);
    },

    async submit(ctx, uid, form) {
      const request = await loadRequest(ctx, room, uid);
      const { progress } = request;
      // Proven meanwhile, in another tab or by a double click; or the sign-in has to begin anew.
      if (progress.missing !== 'factor') return 'next';
      const { person } = progress;
      csrf.check(ctx, form, ctx.path, ofPerson(uid, person.id), ctx.path);
      if (form['decision'] === 'deny') {
        metrics.signIn('abandoned');
        return { to: await (request.demanding ? interactions.unmet(ctx) : interactions.deny(ctx)) };
      }
      if (form['decision'] === 'switch') {
        await interactions.anotherAccount(ctx);
        return 'next';
      }
      if (form['decision'] === 'mail') return mailCode(ctx, request, progress);
      const result = await prove(ctx, uid, progress, form);
      if ('error' in result) {
        await ask(ctx, request, progress, result);
        return 'shown';
      }
      await interactions.proved(ctx, { accountId: person.id, amr: result.amr, epoch: person.epoch });
      await result.settle((await loadRequest(ctx, room, uid)).progress.missing === undefined);
      return 'next';
    },
  };
}
