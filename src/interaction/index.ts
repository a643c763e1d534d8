/**
 * interaction: the steps a person takes between an application's request and its answer: sign in, allow, sign out.
 *
 * It owns what each step asks and shows, and nothing else: who the person is the domain says, what the request is worth
 * the engine says. Steps never lead to one another; each goes back to `/interaction/:uid`, where what is stored decides
 * the next one, or to the engine, when there is none.
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { readForm } from '../http/index.ts';
import { chooseStep } from './choose.ts';
import { consentStep } from './consent.ts';
import type { Interacting } from './context.ts';
import { devicePages } from './device.ts';
import { enrolStep } from './enrol.ts';
import { linkStep } from './link.ts';
import { loginStep } from './login.ts';
import { anew, unlessOver } from './over.ts';
import { byGet } from './posted.ts';
import { recoveryCodesStep } from './recovery-codes.ts';
import { secondFactorStep } from './second-factor.ts';
import { nextStep, refusingExpired, type Step, takeForm } from './steps.ts';
import { arrived } from './upstream/arrive.ts';
import { answered } from './upstream/callback.ts';
import { upstreamStep } from './upstream/leave.ts';

export { signOutPages } from './sign-out.ts';
export { createUpstreamLinks, type UpstreamLinks } from './upstream/links.ts';

/** Every step of an interaction, in their order: a new one is one file and one line. Its name is its view's and its path's. */
const STEPS: readonly ((room: Interacting) => Step)[] = [
  chooseStep,
  loginStep,
  upstreamStep,
  secondFactorStep,
  enrolStep,
  recoveryCodesStep,
  linkStep,
  consentStep,
];

/** The routes of this room. */
export function interactionRoutes(room: Interacting): Middleware {
  const steps = STEPS.map((step) => step(room));
  const router = new Router();
  const parameter = (ctx: Context, name: string): string =>
    String((ctx as unknown as { params: Record<string, string> }).params[name]);
  const uid = (ctx: Context): string => parameter(ctx, 'uid');
  const [arrive, answer] = [arrived(room), answered(room)];

  const ofInteraction = (work: (ctx: Context, uid: string) => Promise<void>) => (ctx: Context) =>
    unlessOver(ctx, room, uid(ctx), () => work(ctx, uid(ctx)));

  router.get(
    '/interaction/:uid',
    ofInteraction((ctx, uid) => nextStep(ctx, room, steps, uid)),
  );
  router.get('/interaction/:uid/again', (ctx) => anew(ctx, room, uid(ctx)));
  router.get(
    '/interaction/:uid/upstream',
    ofInteraction((ctx, uid) => refusingExpired(() => arrive(ctx, uid))),
  );
  router.get('/upstream/:id/callback', (ctx) => answer(ctx, parameter(ctx, 'id')));
  for (const step of steps) {
    const back = (ctx: Context) => ctx.redirect(`/interaction/${encodeURIComponent(uid(ctx))}`);
    // Somebody reloads, or comes back to, the address a form was sent to.
    router.get(`/interaction/:uid/${step.name}`, back);
    router.post(`/interaction/:uid/${step.name}`, async (ctx) => {
      const form = await readForm(ctx);
      const taking = () => takeForm(ctx, room, steps, step, uid(ctx), form);
      await unlessOver(ctx, room, uid(ctx), taking, { cancelled: form['decision'] === 'deny' });
    });
  }
  for (const { path, show, submit } of devicePages(room)) {
    router.get(path, show);
    if (submit) router.post(path, submit);
  }
  router.post(['/authorize', '/logout'], byGet);
  router.get('/', (ctx) => room.pages.show(ctx, 'home', { issuer: room.issuer }));
  return router.routes() as unknown as Middleware;
}
