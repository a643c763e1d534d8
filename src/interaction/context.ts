import type { Context } from 'koa';
import type { Domain } from '../domain/index.ts';
import type { Interactions } from '../engine/index.ts';
import type { Enrolment } from '../factors/index.ts';
import type { Csrf, Device, Metrics, Pages } from '../http/index.ts';
import type { Clock } from '../lib/index.ts';

/** What the steps are given. */
export interface Interacting {
  readonly issuer: string;
  readonly domain: Domain;
  readonly interactions: Interactions;
  readonly enrolment: Enrolment;
  readonly pages: Pages;
  readonly csrf: Csrf;
  readonly device: Device;
  readonly metrics: Pick<Metrics, 'signIn'>;
  readonly now: Clock;
}

/** Sends the browser on with GET, so that going back or reloading repeats no form (RFC 9110 §15.4.4). */
export function sendOn(ctx: Context, to: string): void {
  ctx.status = 303;
  ctx.redirect(to);
}
