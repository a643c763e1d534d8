import type { Context } from 'koa';
import type { Domain } from '../domain/index.ts';
import type { Interactions } from '../engine/index.ts';
import type { Enrolment, Passkeys } from '../factors/index.ts';
import type { Csrf, Device, Metrics, Pages } from '../http/index.ts';
import type { Clock } from '../lib/index.ts';

/** What the steps are given. */
export interface Interacting {
  readonly issuer: string;
  readonly domain: Domain;
  readonly interactions: Interactions;
  readonly enrolment: Enrolment;
  readonly passkeys: Passkeys;
  readonly pages: Pages;
  readonly csrf: Csrf;
  readonly device: Device;
  readonly metrics: Pick<Metrics, 'signIn'>;
  readonly now: Clock;
}

/** What a challenge or an enrolment is bound to that belongs to an interaction. */
export const during = (uid: string): string => `interaction:${uid}`;

/** What a form is bound to that asks something of a person who is known already. */
export const ofPerson = (uid: string, accountId = ''): string => `${uid}|${accountId}`;

/** Sends the browser on with GET, so that going back or reloading repeats no form (RFC 9110 §15.4.4). */
export function sendOn(ctx: Context, to: string): void {
  ctx.status = 303;
  ctx.redirect(to);
}
