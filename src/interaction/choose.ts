import type { Context } from 'koa';
import type { Person } from '../domain/index.ts';
import type { PendingRequest } from '../engine/index.ts';
import { allowFormRedirect } from '../http/index.ts';
import type { Interacting } from './context.ts';
import { loadRequest, type Step } from './steps.ts';

/**
 * Which of the people who use this browser is it (`prompt=select_account`, *another account*)? Whoever is signed in goes on
 * as they are; anybody else signs in.
 */
export function chooseStep(room: Interacting): Step {
  const { domain, interactions, pages, csrf, people } = room;

  /** Nobody is asked to choose whom they have just turned away. */
  async function candidates(ctx: Context, { switching, sessionAccountId }: PendingRequest): Promise<Person[]> {
    const ids = new Set([...(sessionAccountId ? [sessionAccountId] : []), ...people.read(ctx)]);
    if (switching && sessionAccountId) ids.delete(sessionAccountId);
    const all = await Promise.all([...ids].map((id) => domain.accounts.get(id)));
    return all.filter((person) => person !== undefined && !person.disabled) as Person[];
  }

  return {
    name: 'choose',
    isNext: async (ctx, request) =>
      request.progress.missing === 'login' &&
      request.choose &&
      request.chosen === undefined &&
      (await candidates(ctx, request)).length > 0,

    async show(ctx, request) {
      const action = `/interaction/${request.uid}/choose`;
      allowFormRedirect(ctx, request.redirectUri);
      pages.show(ctx, 'choose', {
        action,
        csrf: csrf.token(ctx, action, request.uid),
        client: { name: request.client.name, host: request.returnsTo },
        people: (await candidates(ctx, request)).map(({ id, email, name }) => ({
          id,
          email,
          name,
          signedIn: id === request.sessionAccountId,
        })),
      });
    },

    async submit(ctx, uid, form) {
      csrf.check(ctx, form, ctx.path, uid, ctx.path);
      const request = await loadRequest(ctx, room, uid);
      if (form['decision'] === 'deny') return { to: await interactions.deny(ctx) };
      if (request.progress.missing !== 'login') return 'next';
      if (form['decision'] === 'forget') people.forget(ctx);
      const chosen = (await candidates(ctx, request)).find(({ id }) => id === form['person']);
      if (chosen && chosen.id === request.sessionAccountId && (await interactions.keep(ctx, chosen.id))) return 'next';
      await interactions.choose(ctx, chosen?.email ?? '');
      return 'next';
    },
  };
}
