/**
 * domain: the rules, one noun per file: who may sign in, which applications and APIs there are, what was allowed and
 * how it ends, how often one may guess.
 *
 * It owns what may be done to each noun, and every change it makes is one commit with its audit event. It knows no
 * request, no page and no protocol engine: everything it needs arrives as an argument, the clock too. Rooms above call
 * the verbs here and never write these tables themselves.
 */
import type { Settings } from '../config/index.ts';
import { type Clock, type Logger, minutes, type SealingKey, seconds } from '../lib/index.ts';
import type { Store } from '../store/index.ts';
import { createAccountChanges } from './account-changes.ts';
import { createAccounts } from './accounts.ts';
import { createAssurance } from './assurance.ts';
import { createAudit } from './audit.ts';
import { createChallenges } from './challenges.ts';
import { createClients } from './clients.ts';
import { createCodes } from './codes.ts';
import { createConsents } from './consents.ts';
import { openCookieKeys } from './cookie-keys.ts';
import { createDeliveries } from './deliveries.ts';
import { createDeviceRequests } from './device-requests.ts';
import { createDirectory } from './directory.ts';
import { createFactors } from './factors.ts';
import { createGuesses } from './guesses.ts';
import { createIdentities } from './identities.ts';
import { createImports } from './imports.ts';
import { createJoins } from './joining.ts';
import { openKeys } from './keys.ts';
import { createLetters } from './letters.ts';
import { createLinks } from './links.ts';
import { createLogouts } from './logouts.ts';
import { createMailAnswers } from './mail-answers.ts';
import { createMailRequests } from './mail-requests.ts';
import { createMailedCodes } from './mailed-codes.ts';
import type { MasterKey } from './master-key.ts';
import { createOperators } from './operators.ts';
import { ownClient } from './own-client.ts';
import { createPasswordPolicy } from './password-policy.ts';
import { createPasswords, type Passwords } from './passwords.ts';
import { createPlaces } from './places.ts';
import { createRecovery } from './recovery.ts';
import { createRecoveryCodes } from './recovery-codes.ts';
import { createRefusals } from './refusals.ts';
import { createRegistrations } from './registrations.ts';
import { createResourceOwners } from './resource-owners.ts';
import { createResources, LONGEST_TTL } from './resources.ts';
import { createSentForms } from './sent-forms.ts';
import { createSessions } from './sessions.ts';
import { createSetup } from './setup.ts';
import { createUpstreamRequests } from './upstream-requests.ts';
import { openUpstreams } from './upstreams.ts';

export type { Link, LinkPurpose } from '../store/index.ts';
export type { Person } from './account-changes.ts';
export { ACR_VALUES, acrOf, leastOf, type Provable, together, toldAs } from './assurance.ts';
export type { Actor } from './audit.ts';
export type { Binding, Challenges } from './challenges.ts';
export { oldSecrets } from './client-secrets.ts';
export type { SaidOfItself } from './client-terms.ts';
export type { RegisteredClient } from './clients.ts';
export { type Handler, type Handlers, startCourier, Undeliverable } from './courier.ts';
export { DEVICE_GRANT, type DeviceRequests, USER_CODE_MASK, userCodeIn } from './device-requests.ts';
export { emailKey, parseEmail } from './email.ts';
export { every } from './every.ts';
export type { Factors, OwnFactor } from './factors.ts';
export type { LinkedIdentity } from './identities.ts';
export type { Newcomer, RefusedLine } from './imports.ts';
export { noteIssuer } from './issuer.ts';
export type { Keys } from './keys.ts';
export type { Letter, LetterName } from './letters.ts';
export { browserOf } from './links.ts';
export { type Ended, sidOf } from './logouts.ts';
export type { MailedCodes } from './mailed-codes.ts';
export { lookAtKeys, type MasterKey, markDataMade, openMasterKey } from './master-key.ts';
export { type Moved, move } from './move.ts';
export { networkOf } from './networks.ts';
export { OWN_CLIENT } from './own-client.ts';
export { createPasswords, type Passwords } from './passwords.ts';
export { sessionIdOf } from './places.ts';
export { PROOF_ALGORITHMS } from './public-jwks.ts';
export type { RecoveryCodes } from './recovery-codes.ts';
export type { RefusalEntry } from './refusals.ts';
export type { Leave } from './registrations.ts';
export type { RegisteredResource } from './resources.ts';
export { type Restored, restore } from './restore.ts';
export { DIFFERENCES } from './restore-differences.ts';
export type { Led, SentForms } from './sent-forms.ts';
export type { KeyView, PublishedKey, SigningAlgorithm } from './signing-key.ts';
export type { UnderWay, Vouched, WhyNot } from './upstream-requests.ts';
export type { RegisteredUpstream } from './upstreams.ts';

/** Verifiers fetch a JWKS again no sooner than this, whatever it says (jose's `cooldownDuration`). */
const LEAST_CACHED = seconds(30);

export interface NounOptions {
  readonly store: Store;
  readonly now: Clock;
  readonly settings: Pick<
    Settings,
    | 'issuer'
    | 'brand'
    | 'email_codes'
    | 'guesses'
    | 'invitations'
    | 'mail'
    | 'passwords'
    | 'registration'
    | 'second_factor'
    | 'sign_up'
  >;
  /** Seals what people prove themselves with, and what is to be sent. */
  readonly sealingKey: SealingKey;
  /** For tests that count; the real ones otherwise. */
  readonly passwords?: Passwords;
}

/** Every noun but the server's own keys. */
export function createDomain({ store, now, settings, sealingKey, passwords = createPasswords() }: NounOptions) {
  const { issuer, brand, invitations } = settings;
  const audit = createAudit({ store, now });
  const deliveries = createDeliveries({ store, now, audit, sealingKey });
  const logouts = createLogouts({ store, deliveries });
  const sessions = createSessions({ store, logouts });
  const letters = createLetters({ issuer, deliveries });
  const factors = createFactors({ store, now, audit, sessions, letters, sealingKey });
  const assurance = createAssurance({ settings, factors });
  const imports = createImports({ store, now, audit });
  const links = createLinks({ store, now });
  const codes = createCodes({ store, now, sealingKey });
  const serverWords = [brand.name, new URL(issuer).hostname];
  const policy = createPasswordPolicy({ settings: settings.passwords, serverWords });
  const changes = createAccountChanges({ store, now, audit });
  const accounts = createAccounts({
    store,
    now,
    passwords,
    policy,
    audit,
    sessions,
    imports,
    assurance,
    letters,
    changes,
    operators: createOperators({ store, audit }),
  });
  const guesses = createGuesses({ store, now, limits: settings.guesses });
  const clients = createClients({ store, now, audit, sessions, own: ownClient(settings) });
  return {
    accounts,
    answerMailRequest: createMailAnswers({ accounts, links, letters, audit }),
    assurance,
    audit,
    challenges: createChallenges({ sealingKey, now }),
    codes,
    deliveries,
    deviceRequests: createDeviceRequests({ store, now }),
    directory: createDirectory({ store, imports }),
    joins: createJoins({ store, now, accounts, audit, links, letters, invitations }),
    letters,
    links,
    logouts,
    setup: createSetup({ store, accounts, links, letters }),
    mailedCodes: createMailedCodes({ store, now, settings, audit, codes, letters }),
    mailRequests: createMailRequests({ store, now, settings, deliveries }),
    recovery: createRecovery({ store, now, changes, accounts, audit, letters, links }),
    clients,
    consents: createConsents({ store, now, audit, sessions }),
    factors,
    guesses,
    identities: createIdentities({ store, now, audit, accounts, changes, letters }),
    imports,
    recoveryCodes: createRecoveryCodes({ store, now, audit, letters, sealingKey }),
    places: createPlaces({ store, now }),
    refusals: createRefusals({ store, now }),
    registrations: createRegistrations({ store, now, settings, audit, clients }),
    resourceOwners: createResourceOwners({ accounts, assurance, guesses }),
    resources: createResources({ store, now, audit, issuer }),
    sentForms: createSentForms({ store, now }),
    sessions,
    upstreamRequests: createUpstreamRequests({ store, now, sealingKey }),

    /** Lets go of the hashing threads; the store is its owner's to close. */
    close: () => passwords.close(),
  };
}

interface DomainOptions extends Omit<NounOptions, 'sealingKey'> {
  readonly settings: Settings;
  readonly log: Logger;
  readonly masterKey: MasterKey;
}

export type Domain = Awaited<ReturnType<typeof openDomain>>;

/**
 * Every noun, the keys too.
 * @throws Refusal `master_key_mismatch` when the store was sealed under another master key.
 */
export async function openDomain({ log, masterKey, ...options }: DomainOptions) {
  const { store, now, settings } = options;
  const { sessions, tokens } = settings;
  const secrets = { store, now, sealingKey: masterKey.secrets, rotateAfter: settings.signing.rotate_after };
  const cookieKeys = await openCookieKeys({ ...secrets, verifyFor: sessions.lifetime });
  const passwords = options.passwords ?? createPasswords({ processes: settings.workers });
  const nouns = createDomain({ ...options, passwords, sealingKey: masterKey.factors });
  const { audit } = nouns;
  const keys = await openKeys({
    ...secrets,
    log,
    audit,
    publishAhead: Math.max(settings.signing.jwks_max_age, LEAST_CACHED) + seconds(10),
    // ID tokens come back as hints for as long as their session lives.
    verifyFor: Math.max(sessions.lifetime, tokens.refresh_absolute, tokens.access, tokens.id, LONGEST_TTL) + minutes(1),
  });
  const upstreams = await openUpstreams({
    store,
    now,
    audit,
    sealingKey: masterKey.secrets,
    issuer: settings.issuer,
  });
  const restored = await store.get('marks', 'restored');
  return {
    ...nouns,
    cookieKeys,
    keys,
    upstreams,
    /** When the store was restored from a backup, if ever. Nobody serves it meanwhile, so it does not change. */
    restoredAt: restored?.record.at,

    /** Lets go of the timers and the hashing threads; the store is its owner's to close. */
    async close(): Promise<void> {
      keys.close();
      await nouns.close();
    },
  };
}
