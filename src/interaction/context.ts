import type { Context } from 'koa';
import type { Domain } from '../domain/index.ts';
import type { Interactions } from '../engine/index.ts';
import type { OwnFactors, Passkeys } from '../factors/index.ts';
import type { BrowserMark, Csrf, Device, Metrics, Pages } from '../http/index.ts';
import type { Clock, Logger } from '../lib/index.ts';
import type { UpstreamClient } from '../upstream/index.ts';

/** What the steps are given. */
export interface Interacting {
  readonly issuer: string;
  readonly domain: Domain;
  readonly interactions: Interactions;
  readonly ownFactors: OwnFactors;
  readonly passkeys: Passkeys;
  readonly upstreamClient: UpstreamClient;
  readonly pages: Pages;
  readonly csrf: Csrf;
  readonly device: Device;
  readonly mark: BrowserMark;
  readonly metrics: Pick<Metrics, 'signIn'>;
  readonly now: Clock;
  readonly log: Logger;
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
