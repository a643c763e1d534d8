import { randomFillSync } from 'node:crypto';

/** The kinds of thing we name ourselves; the prefix travels with the identifier into logs and tokens. */
type IdKind = 'usr' | 'cli' | 'reg' | 'evt' | 'err' | 'imp' | 'fac';

/** Drawn together: asking for each number by itself costs ten times as much. */
const drawn = Buffer.alloc(2048);
let used = drawn.length;

/** So many random bytes in base64url. They are given once, and stay nowhere. */
function random(bytes: number): string {
  if (used + bytes > drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  const from = used;
  used += bytes;
  const text = drawn.toString('base64url', from, used);
  drawn.fill(0, from, used);
  return text;
}

/** `usr_…` with 128 random bits in base64url: unguessable enough to name things, never used as a secret. */
export const newId = (kind: IdKind): string => `${kind}_${random(16)}`;

/** 256 random bits in base64url (43 characters): for what must not be guessed. */
export const newSecret = (): string => random(32);
