import type { Context } from 'koa';
import type { PendingRequest, Progress } from '../engine/index.ts';
import { verifyCode } from '../factors/index.ts';
import { allowFormRedirect, readForm } from '../http/index.ts';
import type { Interacting } from './context.ts';
import { guarded, type Refused, WRONG } from './guarded.ts';
import { loadRequest, type Step } from './steps.ts';

type Asked = Extract<Progress, { readonly with: unknown }>;

const boundTo = (uid: string, accountId: string) => `${uid}|${accountId}`;

/** Something you have: a code of an authenticator app or from the paper (RFC 6238; NIST SP 800-63B-4 §2.2). */
export function secondFactorStep(room: Interacting): Step {
  const { domain, interactions, pages, csrf, metrics } = room;

  async function ask(ctx: Context, request: PendingRequest, asked: Asked, refused?: Refused): Promise<void> {
    const { person } = asked;
    const action = `/interaction/${request.uid}/second-factor`;
    allowFormRedirect(ctx, request.redirectUri);
    pages.show(
      ctx,
      'second-factor',
      {
        action,
        csrf: csrf.token(ctx, action, boundTo(request.uid, person.id)),
        person: { email: person.email },
        client: { name: request.client.name, host: request.returnsTo },
        kinds: [...new Set(asked.with.map(({ kind }) => kind))],
        error: refused?.error,
      },
      refused?.status,
    );
  }

  return {
    name: 'second-factor',
    isNext: async (_ctx, { progress }) => progress.missing === 'factor',
    async show(ctx, request) {
      if (request.progress.missing === 'factor') await ask(ctx, request, request.progress);
    },

    async submit(ctx, uid) {
      const form = await readForm(ctx);
      const request = await loadRequest(ctx, room, uid);
      const { progress } = request;
      // Proven meanwhile, in another tab or by a double click; or the sign-in has to begin anew.
      if (progress.missing !== 'factor') return 'next';
      const { person } = progress;
      csrf.check(ctx, form, ctx.path, boundTo(uid, person.id));
      if (form['decision'] === 'deny') {
        metrics.signIn('abandoned');
        return { to: await (request.demanding ? interactions.unmet(ctx) : interactions.deny(ctx)) };
      }
      if (form['decision'] === 'switch') {
        await interactions.anotherAccount(ctx);
        return 'next';
      }
      const { code } = form;
      const result = code
        ? await guarded(ctx, room, { email: person.email, secondFactor: true }, () =>
            verifyCode({ factors: domain.factors, now: room.now }, person, progress.with, code),
          )
        : WRONG;
      if ('error' in result) {
        await ask(ctx, request, progress, result);
        return 'shown';
      }
      await interactions.proved(ctx, { accountId: person.id, amr: result.won.amr, epoch: person.epoch });
      await result.settle((await loadRequest(ctx, room, uid)).progress.missing === undefined);
      return 'next';
    },
  };
}
