import { randomBytes } from 'node:crypto';

/** The kinds of thing we name ourselves; the prefix travels with the identifier into logs and tokens. */
export type IdKind = 'usr' | 'cli' | 'evt' | 'err' | 'grt' | 'req' | 'imp' | 'fac';

/** `usr_…` with 128 random bits in base64url: unguessable enough to name things, never used as a secret. */
export const newId = (kind: IdKind): string => `${kind}_${randomBytes(16).toString('base64url')}`;

/** 256 random bits in base64url (43 characters): for what must not be guessed. */
export const newSecret = (): string => randomBytes(32).toString('base64url');
