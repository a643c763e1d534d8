import { z } from 'zod';
import type { Newcomer, RefusedLine } from '../domain/index.ts';
import { faultsOf, operation } from './operation.ts';

/** People in one file; more come in several. */
const MOST = 100_000;

/** One line of the file. */
const shape = z.strictObject({
  email: z.string(),
  name: z.string().optional(),
  email_verified: z.boolean().default(false),
  disabled: z.boolean().default(false),
  password_hash: z.string().max(1000).optional(),
});

/** Blank lines are nobody; every other one is somebody or says why not. */
function read(lines: readonly string[]): { people: Newcomer[]; refused: RefusedLine[] } {
  const people: Newcomer[] = [];
  const refused: RefusedLine[] = [];
  for (const [i, text] of lines.entries()) {
    if (text.trim() === '') continue;
    const line = i + 1;
    const value = parse(text);
    const parsed = shape.safeParse(value);
    if (!parsed.success) {
      const reason = value === undefined ? 'not JSON' : faultsOf(parsed.error);
      refused.push({ line, reason });
      continue;
    }
    const { email, name, email_verified: emailVerified, disabled, password_hash: passwordHash } = parsed.data;
    people.push({ line, email, name, emailVerified, disabled, passwordHash });
  }
  return { people, refused };
}

/** Undefined where it is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const userImport = {
  'user.import': operation(
    z.strictObject({ lines: z.array(z.string()).max(MOST, `a file has at most ${MOST} lines: import it in parts`) }),
    z.strictObject({
      imported: z.int(),
      refused: z.array(z.strictObject({ line: z.int(), reason: z.string() })),
    }),
    async ({ imports }, { lines }) => {
      const { people, refused } = read(lines);
      return imports.run(people, refused);
    },
  ),
};
