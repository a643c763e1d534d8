import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { type Duration, type SealingKey, seal, unseal } from '../lib/index.ts';
import type { Put, Row, SigningKey } from '../store/index.ts';
import { ALGORITHMS } from './key-algorithms.ts';

export type SigningAlgorithm = SigningKey['alg'];
export type KeyState = 'published' | 'signing' | 'retired';

/** One key as an operator sees it; times in milliseconds since the epoch. */
export interface KeyView {
  readonly kid: string;
  readonly alg: SigningKey['alg'];
  readonly state: KeyState;
  readonly createdAt: number;
  readonly signsFrom: number;
  /** When it leaves the JWKS; only for a retired key. */
  readonly dropsAt?: number;
}

/** One key as the tokens' side uses it. */
export interface PublishedKey extends KeyView {
  readonly publicKey: KeyObject;
  /** Signs over SHA-256. Rejects for a key that only verifies. */
  sign(data: Uint8Array): Promise<Buffer>;
}

const label = (kid: string): string => `signing_keys/${kid}`;

/**
 * What a key is at this moment, from the stored times of all keys alone. `all` is in the order in which they sign.
 * @param verifyFor the longest life of anything a key signed.
 */
export function viewOf(
  all: readonly Row<SigningKey>[],
  row: Row<SigningKey>,
  now: number,
  verifyFor: Duration,
): KeyView {
  const { alg, createdAt, signsFrom } = row.record;
  const later = all.slice(all.indexOf(row) + 1).filter(({ record }) => record.alg === alg);
  const successor = later.find(({ record }) => record.signsFrom <= now);
  const base = { kid: row.id, alg, createdAt, signsFrom };
  if (successor) return { ...base, state: 'retired', dropsAt: successor.record.signsFrom + verifyFor };
  return { ...base, state: signsFrom <= now ? 'signing' : 'published' };
}

/** A key of its own, or the one that was brought, as a new row; its private part sealed. */
export async function newKey(
  { alg, createdAt, signsFrom }: Pick<SigningKey, 'alg' | 'createdAt' | 'signsFrom'>,
  sealingKey: SealingKey,
  brought?: KeyObject,
): Promise<Put<'signing_keys'>> {
  const privateKey = brought ?? (await ALGORITHMS[alg].generate()).privateKey;
  const publicJwk = createPublicKey(privateKey).export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint(publicJwk as JWK);
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  return {
    put: 'signing_keys',
    id: kid,
    expect: 'absent',
    record: {
      alg,
      publicJwk: { ...publicJwk },
      sealedPrivateKey: seal(sealingKey, label(kid), pem),
      createdAt,
      signsFrom,
    },
  };
}

/** Opens keys for use, each private part once. */
export function keyOpener(sealingKey: SealingKey) {
  const opened = new Map<string, KeyObject>();

  function privateKeyOf({ id, record }: Row<SigningKey>): KeyObject {
    const known = opened.get(id);
    if (known) return known;
    if (!record.sealedPrivateKey) throw new Error(`key ${id} only verifies`);
    const key = createPrivateKey(unseal(sealingKey, label(id), record.sealedPrivateKey));
    opened.set(id, key);
    return key;
  }

  return {
    open(row: Row<SigningKey>, shown: KeyView): PublishedKey {
      return {
        ...shown,
        publicKey: createPublicKey({ key: row.record.publicJwk as JsonWebKey, format: 'jwk' }),
        // What is thrown in here rejects.
        sign: (data) =>
          new Promise((resolve, reject) => {
            if (shown.state === 'retired') throw new Error(`key ${row.id} only verifies`);
            const input = ALGORITHMS[row.record.alg].input(privateKeyOf(row));
            sign('sha256', data, input, (error, signature) => (error ? reject(error) : resolve(signature)));
          }),
      };
    },

    forget: (kid: string): void => void opened.delete(kid),
  };
}
