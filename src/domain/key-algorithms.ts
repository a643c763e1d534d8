import { constants, generateKeyPair, type KeyObject, type SignKeyObjectInput } from 'node:crypto';
import { promisify } from 'node:util';
import type { SigningKey } from '../store/index.ts';

type Algorithm = SigningKey['alg'];

const generate = promisify(generateKeyPair);

interface AlgorithmRow {
  /** Makes a private key for it. */
  readonly generate: () => Promise<{ privateKey: KeyObject }>;
  /** Whether a key that somebody brings is fit for it. */
  readonly fits: (key: KeyObject) => boolean;
  /**
   * What `crypto.sign` and `crypto.verify` take, all of them over SHA-256 (RFC 7518 §3.1). A bare key where that will do:
   * reading one out of an object costs Node 12 µs.
   */
  readonly input: (key: KeyObject) => KeyObject | SignKeyObjectInput;
}

const rsa = () => generate('rsa', { modulusLength: 2048 });
const isRsa = (key: KeyObject) =>
  key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;

/** The algorithms a signing key may have: a new one is one row. */
export const ALGORITHMS: Readonly<Record<Algorithm, AlgorithmRow>> = {
  RS256: { generate: rsa, fits: isRsa, input: (key) => key },
  PS256: {
    generate: rsa,
    fits: isRsa,
    input: (key) => ({ key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
  },
  ES256: {
    generate: () => generate('ec', { namedCurve: 'P-256' }),
    fits: (key) => key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1',
    input: (key) => ({ key, dsaEncoding: 'ieee-p1363' }),
  },
};
