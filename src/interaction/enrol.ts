import type { Context } from 'koa';
import type { PendingRequest, Progress } from '../engine/index.ts';
import type { NotEnrolled } from '../factors/index.ts';
import { allowFormRedirect, type Form, sendOn } from '../http/index.ts';
import { during, type Interacting, ofPerson } from './context.ts';
import { loadRequest, type Step } from './steps.ts';

type Asked = Extract<Progress, { readonly with: unknown }>;

/** Somebody has to own a second factor and does not: they add one before they go on. */
export function enrolStep(room: Interacting): Step {
  const { interactions, pages, csrf, metrics, ownFactors } = room;

  async function ask(
    ctx: Context,
    request: PendingRequest,
    { person, needed }: Asked,
    form: Form = {},
    error?: Exclude<NotEnrolled['error'], 'done'>,
  ): Promise<void> {
    const action = `/interaction/${request.uid}/enrol`;
    const passkey = await ownFactors.beginPasskey(person, during(request.uid));
    allowFormRedirect(ctx, request.redirectUri);
    pages.show(
      ctx,
      'enrol',
      {
        action,
        csrf: csrf.token(ctx, action, ofPerson(request.uid, person.id)),
        person: { email: person.email },
        client: { name: request.client.name, host: request.returnsTo },
        // A code does not resist phishing (RFC 9470 §5; OIDC EAP ACR Values 1.0 §3).
        ...(needed !== 'phr' && { totp: ownFactors.beginTotp(person, during(request.uid), form['enrolment']) }),
        passkey,
        error,
      },
      error && 400,
    );
  }

  return {
    name: 'enrol',
    isNext: async (_ctx, { progress }) => progress.missing === 'enrolment',
    async show(ctx, request) {
      const { progress } = request;
      if (progress.missing !== 'enrolment') return;
      // A passkey is asked for where no browser can make one: there is nothing to show.
      if (progress.needed === 'phr' && !room.passkeys.available) return sendOn(ctx, await interactions.unmet(ctx));
      await ask(ctx, request, progress);
    },

    async submit(ctx, uid, form) {
      const request = await loadRequest(ctx, room, uid);
      const { progress } = request;
      if (progress.missing !== 'enrolment') return 'next';
      const { person } = progress;
      csrf.check(ctx, form, ctx.path, ofPerson(uid, person.id), ctx.path);
      if (form['decision'] === 'deny') {
        metrics.signIn('abandoned');
        return { to: await (request.demanding ? interactions.unmet(ctx) : interactions.deny(ctx)) };
      }
      const result = form['passkey']
        ? await ownFactors.finishPasskey(person, during(uid), form['passkey'], form['name'])
        : await ownFactors.finishTotp(person, during(uid), form);
      if ('error' in result) {
        if (result.error === 'done') return 'next';
        await ask(ctx, request, progress, form, result.error);
        return 'shown';
      }
      await interactions.proved(ctx, { accountId: person.id, amr: result.amr, epoch: person.epoch });
      return 'next';
    },
  };
}
