/**
 * Every table of the store, declared once: what a row holds, by what it is found, and how durable it must be.
 * A record is plain JSON. Secrets in it are hashed or sealed before they come here.
 */

/** A person. */
export interface Account {
  /** As the person wrote it. */
  readonly email: string;
  readonly emailVerified: boolean;
  readonly name?: string;
  /** A PHC string, `$argon2id$…`. Absent for a person who has no password. */
  readonly passwordHash?: string;
  readonly admin: boolean;
  readonly disabled: boolean;
  /** Raised whenever all that was proven before must no longer count: a changed password, a disabled account. */
  readonly epoch: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Who an address belongs to. The row's id is the address as compared, so that no two people can ever have one. */
export interface EmailOwner {
  readonly accountId: string;
}

export type ClientType = 'web' | 'spa' | 'native' | 'service';

/** An application as the operator registered it, privileges included. */
export interface Client {
  readonly name: string;
  readonly type: ClientType;
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
  /** OAuth grant types (RFC 7591 §2): `authorization_code`, `refresh_token`, `client_credentials`, `password`. */
  readonly grantTypes: readonly string[];
  /** Scopes it may ask for; empty: all that its resources and OpenID Connect define. */
  readonly scopes: readonly string[];
  /** Resource URIs it may ask tokens for, beside the default audience. The first is what it gets when it asks for none. */
  readonly resources: readonly string[];
  /** Ours: people are not asked for consent. */
  readonly firstParty: boolean;
  readonly tokenEndpointAuthMethod: 'client_secret_basic' | 'private_key_jwt' | 'none';
  /** SHA-256 of each secret that is good; the newest first. */
  readonly secretHashes: readonly string[];
  /** Until then the secrets after the newest are good too; none of them is where this is absent. */
  readonly oldSecretsUntil?: number;
  /** Public keys for `private_key_jwt` (RFC 7523), as a JWK set. */
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** An API that tokens are for. The row's id is its URI, which is the `aud` of its tokens. */
export interface Resource {
  readonly name?: string;
  readonly scopes: readonly string[];
  /** Lifetime of its access tokens in milliseconds; the setting `tokens.access` where absent. */
  readonly ttl?: number;
  /** Machine tokens are recorded too, so that they can be introspected and revoked. */
  readonly revocable: boolean;
  readonly createdAt: number;
}

/** A key that signs tokens. The row's id is its `kid` (RFC 7638). */
export interface SigningKey {
  readonly alg: 'RS256' | 'PS256' | 'ES256';
  readonly publicJwk: Readonly<Record<string, unknown>>;
  /** PKCS #8, sealed under the master key. Gone once the key only verifies. */
  readonly sealedPrivateKey?: string;
  readonly createdAt: number;
  /** From then on it is the one that signs, until a later one's time comes. */
  readonly signsFrom: number;
}

/** A secret of the server itself (cookie keys), sealed under the master key. */
export interface ServerSecret {
  readonly purpose: string;
  readonly sealed: string;
  readonly createdAt: number;
  readonly usedFrom: number;
}

/** What a person allowed an application, remembered across sessions. The row's id is made of both. */
export interface Consent {
  readonly accountId: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** OpenID Connect claims allowed one by one (OIDC Core §5.5). */
  readonly claims: readonly string[];
  /** Scopes by resource URI. */
  readonly resources: Readonly<Record<string, readonly string[]>>;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/**
 * Something the engine keeps: a session, a code, a token. The row's id is the SHA-256 of the value that was issued, the
 * engine's payload is sealed, and what is beside it is what rows are found by.
 */
export interface Artifact {
  readonly sealed: string;
  readonly grantId?: string;
  readonly accountId?: string;
  readonly clientId?: string;
  /** SHA-256 of a session's uid. */
  readonly uid?: string;
  /** When it was used up (codes, refresh tokens, pushed requests). */
  readonly consumedAt?: number;
  /** Row id of the refresh token that follows this one. */
  readonly successor?: string;
}

/** The answer a refresh was given, kept for a retry. The row's id is that of the refresh token that was presented. */
export interface RefreshAnswer {
  /** Sealed under the presented token itself: nobody without it can read the answer. */
  readonly sealed: string;
  /** A digest of what was asked beside the token (scope, resource): another request is not a retry. */
  readonly request: string;
}

/** An assertion or DPoP proof that was seen. The row's id is a digest of issuer and `jti`. */
export interface Seen {
  readonly issuer: string;
}

/** Wrong guesses against one account, network or browser. */
export interface GuessCounter {
  readonly count: number;
  readonly since: number;
}

/** Why a request was refused, for `postern explain ID`. Never holds a secret. */
export interface RefusalRecord {
  readonly at: number;
  readonly error: string;
  readonly sentence: string;
  /** The rule that refused, in words, with the names that help to mend it. */
  readonly rule: string;
  readonly asked: Readonly<Record<string, string>>;
  readonly registered: Readonly<Record<string, unknown>>;
}

/** Something an operator or a person may later want to know happened. */
export interface AuditEvent {
  readonly at: number;
  readonly type: string;
  readonly accountId?: string;
  readonly clientId?: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

export interface Tables {
  accounts: Account;
  emails: EmailOwner;
  clients: Client;
  resources: Resource;
  signing_keys: SigningKey;
  server_secrets: ServerSecret;
  consents: Consent;
  sessions: Artifact;
  interactions: Artifact;
  grants: Artifact;
  authorization_codes: Artifact;
  access_tokens: Artifact;
  refresh_tokens: Artifact;
  refresh_answers: RefreshAnswer;
  pushed_requests: Artifact;
  seen: Seen;
  guesses: GuessCounter;
  refusals: RefusalRecord;
  audit: AuditEvent;
}

export type TableName = keyof Tables;

type IndexOf<R> = Readonly<Record<string, (record: R) => string | undefined>>;

/** How a table is kept. `relaxed` rows are acknowledged once written and are on the disk within 200 ms. */
export interface TableDeclaration<R> {
  readonly durability: 'strict' | 'relaxed';
  readonly indexes: IndexOf<R>;
}

const byOwner = {
  grantId: (r: Artifact) => r.grantId,
  accountId: (r: Artifact) => r.accountId,
} satisfies IndexOf<Artifact>;

export const TABLES = {
  accounts: { durability: 'strict', indexes: {} },
  emails: { durability: 'strict', indexes: {} },
  clients: { durability: 'strict', indexes: {} },
  resources: { durability: 'strict', indexes: {} },
  signing_keys: { durability: 'strict', indexes: {} },
  server_secrets: { durability: 'strict', indexes: {} },
  consents: {
    durability: 'strict',
    indexes: { accountId: (r: Consent) => r.accountId, clientId: (r: Consent) => r.clientId },
  },
  sessions: {
    durability: 'strict',
    indexes: { uid: (r: Artifact) => r.uid, accountId: (r: Artifact) => r.accountId },
  },
  interactions: { durability: 'relaxed', indexes: {} },
  grants: {
    durability: 'strict',
    indexes: { accountId: (r: Artifact) => r.accountId, clientId: (r: Artifact) => r.clientId },
  },
  authorization_codes: { durability: 'strict', indexes: byOwner },
  access_tokens: { durability: 'strict', indexes: byOwner },
  refresh_tokens: { durability: 'strict', indexes: byOwner },
  refresh_answers: { durability: 'strict', indexes: {} },
  pushed_requests: { durability: 'strict', indexes: {} },
  seen: { durability: 'strict', indexes: {} },
  guesses: { durability: 'relaxed', indexes: {} },
  refusals: { durability: 'relaxed', indexes: {} },
  audit: { durability: 'strict', indexes: { accountId: (r: AuditEvent) => r.accountId } },
} as const satisfies { readonly [T in TableName]: TableDeclaration<Tables[T]> };

export type IndexName<T extends TableName> = 'all' | keyof (typeof TABLES)[T]['indexes'];

export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

/** The value a record is found by in one of its table's indexes; undefined where it is not in that index. */
export function indexValue(table: TableName, index: string, record: unknown): string | undefined {
  const indexes: IndexOf<never> = TABLES[table].indexes;
  return indexes[index]?.(record as never);
}
