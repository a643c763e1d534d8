import { errors } from 'oidc-provider';
import { type Duration, minutes } from '../lib/index.ts';
import type { Artifact, TableName, Tables } from '../store/index.ts';

type ArtifactTable = {
  [T in TableName]: Tables[T] extends Artifact ? (Artifact extends Tables[T] ? T : never) : never;
}[TableName];

/** How one of the engine's models is kept. */
export interface ModelRow {
  readonly table: ArtifactTable;
  /** What the loser of a race to use it up is told. */
  readonly alreadyUsed?: () => Error;
  /** How long it is kept when it is over, for who asks then to be told that it is. */
  readonly keptOn?: Duration;
}

const invalidGrant = (detail: string) => () => new errors.InvalidGrant(detail);

/** The engine's models that are kept; what is not in this list cannot be saved. */
export const MODELS: Readonly<Record<string, ModelRow>> = {
  Session: { table: 'sessions' },
  Interaction: { table: 'interactions' },
  Grant: { table: 'grants' },
  AuthorizationCode: { table: 'authorization_codes', alreadyUsed: invalidGrant('authorization code already consumed') },
  DeviceCode: {
    table: 'device_codes',
    alreadyUsed: invalidGrant('device code already consumed'),
    keptOn: minutes(5),
  },
  AccessToken: { table: 'access_tokens' },
  ClientCredentials: { table: 'access_tokens' },
  RefreshToken: { table: 'refresh_tokens', alreadyUsed: invalidGrant('refresh token already used') },
  PushedAuthorizationRequest: {
    table: 'pushed_requests',
    alreadyUsed: () => new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used'),
  },
};
