import type { Settings } from '../config/index.ts';
import type { Clock, SealingKey } from '../lib/index.ts';
import type { Store } from '../store/index.ts';
import { createAccountChanges } from './account-changes.ts';
import { createAccounts } from './accounts.ts';
import { createAssurance } from './assurance.ts';
import { createAudit } from './audit.ts';
import { createChallenges } from './challenges.ts';
import { createClients } from './clients.ts';
import { createCodes } from './codes.ts';
import { createConsents } from './consents.ts';
import { createDeliveries } from './deliveries.ts';
import { createDeviceRequests } from './device-requests.ts';
import { createDirectory } from './directory.ts';
import { createFactors } from './factors.ts';
import { createGuesses } from './guesses.ts';
import { createIdentities } from './identities.ts';
import { createImports } from './imports.ts';
import { createJoins } from './joining.ts';
import { createLetters } from './letters.ts';
import { createLinks } from './links.ts';
import { createLogouts } from './logouts.ts';
import { createMailAnswers } from './mail-answers.ts';
import { createMailRequests } from './mail-requests.ts';
import { createMailedCodes } from './mailed-codes.ts';
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
import { createResources } from './resources.ts';
import { createSentForms } from './sent-forms.ts';
import { createSessions } from './sessions.ts';
import { createSetup } from './setup.ts';
import { createUpstreamRequests } from './upstream-requests.ts';

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
