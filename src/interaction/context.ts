import type { Settings } from '../config/index.ts';
import type { Domain } from '../domain/index.ts';
import type { Devices, Interactions, OwnSessions } from '../engine/index.ts';
import type { OwnFactors, Passkeys } from '../factors/index.ts';
import type { BrowserMark, Csrf, Device, KnownPeople, Metrics, Pages } from '../http/index.ts';
import type { Logger } from '../lib/index.ts';
import type { UpstreamClient } from '../upstream/index.ts';

/** What the steps are given. */
export interface Interacting {
  readonly settings: Pick<Settings, 'sign_up'>;
  readonly issuer: string;
  readonly domain: Domain;
  readonly interactions: Interactions;
  readonly devices: Devices;
  readonly ownFactors: OwnFactors;
  readonly passkeys: Passkeys;
  readonly ownSessions: Pick<OwnSessions, 'current'>;
  readonly upstreamClient: UpstreamClient;
  readonly pages: Pages;
  readonly csrf: Csrf;
  readonly device: Device;
  readonly mark: BrowserMark;
  readonly people: KnownPeople;
  readonly metrics: Pick<Metrics, 'signIn'>;
  readonly log: Logger;
}

/** What a challenge or an enrolment is bound to that belongs to an interaction. */
export const during = (uid: string): string => `interaction:${uid}`;

/** What a form is bound to that asks something of a person who is known already. */
export const ofPerson = (uid: string, accountId = ''): string => `${uid}|${accountId}`;
