import { documents } from './documents.ts';
import { footprints } from './footprint.ts';
import { growing } from './growth.ts';
import { introspection } from './introspection.ts';
import { machineTokens } from './machine-tokens.ts';
import { passwords } from './passwords.ts';
import { people } from './people.ts';
import { processes } from './processes.ts';
import type { Row } from './row.ts';

/** Every row, in the order of the table. */
export const rows: readonly Row[] = [
  ...machineTokens,
  ...people,
  ...passwords,
  ...documents,
  ...introspection,
  ...processes,
  ...growing,
  ...footprints,
];
