import type { AdapterPayload } from 'oidc-provider';
import { openArtifact } from '../domain/index.ts';
import { type Clock, deriveKey, hmac, inTimeOf, type SealingKey, seal, seconds, sha256 } from '../lib/index.ts';
import type { Artifact, Put, Row } from '../store/index.ts';
import { MODELS, type ModelRow } from './models.ts';

/** The engine reads a row this long past its `exp` (its `clockTolerance`). */
export const CLOCK_TOLERANCE = seconds(15);

/** Opens what the engine stored in a row. */
export type OpenArtifact = (table: string, row: Row<Artifact>) => AdapterPayload;

/** The row of what the engine calls a model of this name. */
export type ArtifactPut = Put<ModelRow['table']> & { readonly record: Artifact; readonly expiresAt: number };

/** Makes the row of something that was issued. @param id the value by which it is found, which the store never sees */
export type SealArtifact = (name: string, id: string, payload: AdapterPayload) => ArtifactPut;

/** A row's id is the SHA-256 of the value that was issued and its payload is sealed: nothing in the store can be used as a token, a code or a cookie. */
export function artifacts(key: SealingKey, now: Clock): { readonly open: OpenArtifact; readonly seal: SealArtifact } {
  return {
    open(table, row) {
      const payload = openArtifact(key, table, row) as AdapterPayload;
      const { consumedAt } = row.record;
      return consumedAt ? { ...payload, consumed: Math.floor(consumedAt / 1000) } : payload;
    },

    seal(name, id, payload) {
      const model = MODELS[name];
      if (!model) throw new Error(`the model ${name} is not kept`);
      const { table, keptOn = 0 } = model;
      const rowId = sha256(id);
      const { grantId, accountId, clientId, uid, exp } = payload;
      return {
        put: table,
        id: rowId,
        expiresAt: inTimeOf(now, seconds(exp ?? 0)) + CLOCK_TOLERANCE + keptOn,
        record: {
          sealed: seal(key, `${table}/${rowId}`, JSON.stringify(payload)),
          ...(name === 'Grant' ? { grantId: id } : grantId ? { grantId } : {}),
          ...(accountId ? { accountId } : {}),
          ...(clientId ? { clientId } : {}),
          ...(name === 'Session' && uid ? { uid: sha256(uid) } : {}),
          ...(name === 'DeviceCode' ? { userCode: userCodeDigest(key, payload['userCode'] as string) } : {}),
        },
      };
    },
  };
}

/** Until when what is in a row is good by our clock; by the wall's, which dated it, it says so itself (`exp`). */
export const goodUntil = (name: string, { expiresAt = 0 }: Row<Artifact>): number =>
  expiresAt - CLOCK_TOLERANCE - (MODELS[name]?.keptOn ?? 0);

/** What a device's row is found by where somebody types its code. */
export const userCodeDigest = (key: SealingKey, letters: string): string => hmac(deriveKey(key, 'user-codes'), letters);
