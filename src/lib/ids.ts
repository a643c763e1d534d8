import { random } from './random.ts';

/** The kinds of thing we name ourselves; the prefix travels with the identifier into logs and tokens. */
type IdKind = 'usr' | 'cli' | 'reg' | 'evt' | 'err' | 'imp' | 'fac';

const text = (from: Buffer, start: number, end: number): string => from.toString('base64url', start, end);

/** `usr_…` with 128 random bits in base64url: unguessable enough to name things, never used as a secret. */
export const newId = (kind: IdKind): string => `${kind}_${random(16, text)}`;

/** 256 random bits in base64url (43 characters): for what must not be guessed. */
export const newSecret = (): string => random(32, text);
