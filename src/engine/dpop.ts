import { type Clock, deriveKey, minutes, type SealingKey } from '../lib/index.ts';

interface Options {
  readonly key: SealingKey;
  readonly now: Clock;
  /** When the store was restored from a backup, if ever: which proofs were seen before then, nobody knows. */
  readonly restoredAt: number | undefined;
}

/** A proof without a nonce is good five minutes before and after its `iat`, so twice that after it was first used. */
const PROOFS_DIE_WITHIN = minutes(10);

/**
 * DPoP nonces (RFC 9449 §8). After a restore those from before are no longer ours, and until the last proof from before
 * has expired every proof needs one; clients get it with the refusal and try again.
 */
export function dpopNonces({ key, now, restoredAt }: Options) {
  return {
    nonceSecret: Buffer.from(restoredAt === undefined ? key : deriveKey(key, `restored ${restoredAt}`)),
    requireNonce: (): boolean => restoredAt !== undefined && now() < restoredAt + PROOFS_DIE_WITHIN,
  };
}
