/**
 * Every table of the store, declared once: what a row holds (kinds.ts), by what it is found, and how durable it must be.
 */
import type {
  Account,
  Artifact,
  AuditEvent,
  Challenge,
  Client,
  Consent,
  Delivery,
  EmailOwner,
  Factor,
  GuessCounter,
  Identity,
  Import,
  InitialAccessToken,
  Link,
  Mark,
  RefreshAnswer,
  RefusalRecord,
  Resource,
  Seen,
  SentForm,
  ServerSecret,
  SessionPlace,
  SigningKey,
  Upstream,
  UpstreamRequest,
} from './kinds.ts';

export type * from './kinds.ts';

export interface Tables {
  accounts: Account;
  emails: EmailOwner;
  imports: Import;
  clients: Client;
  initial_access_tokens: InitialAccessToken;
  resources: Resource;
  signing_keys: SigningKey;
  server_secrets: ServerSecret;
  consents: Consent;
  sessions: Artifact;
  /** And, for a moment, answers that ended some. */
  interactions: Artifact;
  grants: Artifact;
  authorization_codes: Artifact;
  device_codes: Artifact;
  access_tokens: Artifact;
  refresh_tokens: Artifact;
  refresh_answers: RefreshAnswer;
  pushed_requests: Artifact;
  seen: Seen;
  sent_forms: SentForm;
  guesses: GuessCounter;
  refusals: RefusalRecord;
  audit: AuditEvent;
  factors: Factor;
  challenges: Challenge;
  links: Link;
  upstreams: Upstream;
  identities: Identity;
  upstream_requests: UpstreamRequest;
  session_places: SessionPlace;
  deliveries: Delivery;
  marks: Mark;
}

export type TableName = keyof Tables;

type IndexOf<R> = Readonly<Record<string, (record: R) => string | undefined>>;

/** How a table is kept. `relaxed` rows are acknowledged once written and are on the disk within 200 ms. */
interface TableDeclaration<R> {
  readonly durability: 'strict' | 'relaxed';
  readonly indexes: IndexOf<R>;
}

const byOwner = {
  grantId: (r: Artifact) => r.grantId,
  accountId: (r: Artifact) => r.accountId,
} satisfies IndexOf<Artifact>;

export const TABLES = {
  // Those who still have the password they came with.
  accounts: {
    durability: 'strict',
    indexes: { importId: (r: Account) => (r.passwordHash === undefined ? undefined : r.importId) },
  },
  emails: { durability: 'strict', indexes: { importId: (r: EmailOwner) => r.importId } },
  imports: { durability: 'strict', indexes: {} },
  clients: { durability: 'strict', indexes: {} },
  initial_access_tokens: { durability: 'strict', indexes: {} },
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
  device_codes: { durability: 'strict', indexes: { ...byOwner, userCode: (r: Artifact) => r.userCode } },
  access_tokens: { durability: 'strict', indexes: byOwner },
  refresh_tokens: { durability: 'strict', indexes: byOwner },
  refresh_answers: { durability: 'strict', indexes: {} },
  pushed_requests: { durability: 'strict', indexes: {} },
  seen: { durability: 'strict', indexes: {} },
  sent_forms: { durability: 'strict', indexes: {} },
  guesses: { durability: 'relaxed', indexes: {} },
  refusals: { durability: 'relaxed', indexes: {} },
  audit: { durability: 'strict', indexes: { accountId: (r: AuditEvent) => r.accountId } },
  factors: { durability: 'strict', indexes: { accountId: (r: Factor) => r.accountId } },
  challenges: { durability: 'strict', indexes: {} },
  links: { durability: 'strict', indexes: { accountId: (r: Link) => r.accountId, of: (r: Link) => r.of } },
  upstreams: { durability: 'strict', indexes: {} },
  identities: {
    durability: 'strict',
    indexes: { accountId: (r: Identity) => r.accountId, upstream: (r: Identity) => r.upstream },
  },
  upstream_requests: { durability: 'relaxed', indexes: {} },
  session_places: { durability: 'relaxed', indexes: { accountId: (r: SessionPlace) => r.accountId } },
  deliveries: { durability: 'strict', indexes: { kind: (r: Delivery) => r.kind } },
  marks: { durability: 'strict', indexes: {} },
} as const satisfies { readonly [T in TableName]: TableDeclaration<Tables[T]> };

export type IndexName<T extends TableName> = 'all' | keyof (typeof TABLES)[T]['indexes'];

export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

/** The value a record is found by in one of its table's indexes; undefined where it is not in that index. */
export function indexValue(table: TableName, index: string, record: unknown): string | undefined {
  const indexes: IndexOf<never> = TABLES[table].indexes;
  return indexes[index]?.(record as never);
}
