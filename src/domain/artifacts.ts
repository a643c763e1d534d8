import { type SealingKey, unseal } from '../lib/index.ts';
import type { Artifact, Row } from '../store/index.ts';

/** What the engine keeps sealed in a row of this table: sessions, codes, tokens. */
export const openArtifact = (key: SealingKey, table: string, { id, record }: Row<Artifact>): unknown =>
  JSON.parse(unseal(key, `${table}/${id}`, record.sealed));
