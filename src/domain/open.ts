import type { Settings } from '../config/index.ts';
import { type Logger, minutes, seconds } from '../lib/index.ts';
import { openCookieKeys } from './cookie-keys.ts';
import { openKeys } from './keys.ts';
import type { MasterKey } from './master-key.ts';
import { createDomain, type NounOptions } from './nouns.ts';
import { createPasswords } from './passwords.ts';
import { LONGEST_TTL } from './resources.ts';
import { createSignIns } from './sign-ins.ts';
import { openUpstreams } from './upstreams.ts';

/** Verifiers fetch a JWKS again no sooner than this, whatever it says (jose's `cooldownDuration`). */
const LEAST_CACHED = seconds(30);

interface DomainOptions extends Omit<NounOptions, 'sealingKey'> {
  readonly settings: Settings;
  readonly log: Logger;
  readonly masterKey: MasterKey;
  /** For a command, whose settings need not be those of the servers: keys are made, rotated and dropped by age by theirs. */
  readonly visiting?: boolean;
}

export type Domain = Awaited<ReturnType<typeof openDomain>>;

/**
 * Every noun, the keys too.
 * @throws Refusal `master_key_mismatch` when the store was sealed under another master key.
 */
export async function openDomain({ log, masterKey, visiting = false, ...options }: DomainOptions) {
  const { store, now, settings } = options;
  const { sessions, tokens } = settings;
  const secrets = { store, now, sealingKey: masterKey.secrets, rotateAfter: settings.signing.rotate_after, visiting };
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
  const signIns = createSignIns({ ...nouns, store, key: masterKey.artifacts });
  const restored = await store.get('marks', 'restored');
  return {
    ...nouns,
    cookieKeys,
    keys,
    signIns,
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
