import { type Duration, days, minutes, Refusal, sameDigest, sha256 } from '../lib/index.ts';
import type { Client } from '../store/index.ts';

type Secrets = Pick<Client, 'secretHashes' | 'oldSecretsUntil'>;

/** Far more than bringing new ones out takes. */
const MOST_OLD_SECRETS = 5;

interface OldSecret {
  readonly hash: string;
  readonly until: number;
}

const NONE: readonly OldSecret[] = [];

export const hasSecret = ({ tokenEndpointAuthMethod }: Pick<Client, 'tokenEndpointAuthMethod'>): boolean =>
  tokenEndpointAuthMethod === 'client_secret_basic';

/** The secrets that newer ones have replaced, the last first, and until when each is good beside them. */
export function oldSecrets({ secretHashes, oldSecretsUntil = [] }: Secrets): readonly OldSecret[] {
  if (secretHashes.length < 2) return NONE;
  const times = [oldSecretsUntil].flat();
  return secretHashes.slice(1).map((hash, i) => ({ hash, until: times[i] ?? 0 }));
}

/** What a client keeps when its terms have changed: the secrets it had, a first one, or none. */
export function secretsKept(record: Client, settled: Pick<Client, 'tokenEndpointAuthMethod'>, first: string): Secrets {
  if (!hasSecret(settled)) return { secretHashes: [] };
  if (!hasSecret(record)) return { secretHashes: [sha256(first)] };
  const { secretHashes, oldSecretsUntil } = record;
  return { secretHashes, ...(oldSecretsUntil !== undefined && { oldSecretsUntil }) };
}

/** @throws Refusal `time_invalid` where an old secret may not be kept for so long */
export function checkKeptFor(duration: Duration | undefined): void {
  if (duration !== undefined && !(duration >= minutes(1) && duration <= days(30)))
    throw new Refusal('time_invalid', 'an old secret is kept for 1 minute to 30 days');
}

/**
 * What a new secret leaves of the old ones: nothing; or the last, for so long, and those before it for as long as was said of them.
 * @throws Refusal `secrets_many`
 */
export function secretsReplaced(
  client: Secrets & { readonly id: string },
  secret: string,
  { now, keepOldFor }: { readonly now: number; readonly keepOldFor: Duration | undefined },
): Secrets {
  if (!keepOldFor) return { secretHashes: [sha256(secret)] };
  const replaced = client.secretHashes.slice(0, 1).map((hash) => ({ hash, until: now + keepOldFor }));
  const kept = [...replaced, ...oldSecrets(client).filter(({ until }) => until > now)];
  if (kept.length > MOST_OLD_SECRETS)
    throw new Refusal(
      'secrets_many',
      `${MOST_OLD_SECRETS} old secrets of ${client.id} are still good: rotate without keeping one, which ends them, or wait for one to end`,
    );
  return {
    secretHashes: [sha256(secret), ...kept.map(({ hash }) => hash)],
    oldSecretsUntil: kept.map(({ until }) => until),
  };
}

/** Whether it is a secret of the client's that is good now; takes the same time whichever it is, or none. */
export function isSecretOf(client: Secrets, secret: string, now: number): boolean {
  const presented = sha256(secret);
  const [last] = client.secretHashes;
  let found = last !== undefined && sameDigest(last, presented);
  for (const { hash, until } of oldSecrets(client)) if (until > now && sameDigest(hash, presented)) found = true;
  return found;
}
