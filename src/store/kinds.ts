/**
 * What the rows of each table hold. A record is plain JSON. Secrets in it are hashed or sealed before they come here.
 */

/** A person. */
export interface Account {
  /** As the person wrote it. */
  readonly email: string;
  readonly emailVerified: boolean;
  readonly name?: string;
  /** The language of mails to them. */
  readonly locale?: string;
  /** A PHC string, `$argon2id$…`, or as it was imported. Absent for a person who has no password. */
  readonly passwordHash?: string;
  /** The password was chosen by a mailed link: a mailed code beside it would prove the same mailbox twice. */
  readonly passwordMailed?: true;
  /** The import they came with, until their password is kept as ours are. */
  readonly importId?: string;
  readonly admin: boolean;
  readonly disabled: boolean;
  /** Raised whenever all that was proven before must no longer count: a changed password, a disabled account. */
  readonly epoch: number;
  /**
   * The last end of all that was issued: the epoch that began with it, and the id of the one session that went on. What was
   * proven may end alone.
   */
  readonly ended?: { readonly epoch: number; readonly except?: string };
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Who an address belongs to. The row's id is the address as compared, so that no two people can ever have one. */
export interface EmailOwner {
  readonly accountId: string;
  /** The import it came with: while that one is not done, the address is taken and leads nowhere. */
  readonly importId?: string;
}

/**
 * People brought from elsewhere. All of them are there when it is done, none while it is not, and where there is no
 * such row (any more) it is done.
 */
export interface Import {
  readonly state: 'open' | 'undoing' | 'done';
  /** Whoever is at it renews this; past it nobody is, and the next one undoes what was begun. */
  readonly leaseUntil: number;
  /** The dearest of its hashes by function; units as in domain/key-derivation.ts. */
  readonly work: Readonly<Partial<Record<'own' | 'pbkdf2' | 'scrypt' | 'bcrypt' | 'argon2', number>>>;
}

export type ClientType = 'web' | 'spa' | 'native' | 'service';

/** An application as the operator registered it, privileges included; or as it registered itself, without any. */
export interface Client {
  readonly name: string;
  readonly type: ClientType;
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
  /** Where it is told that somebody is signed out (OIDC Back-Channel Logout 1.0 §2.2); absent where it need not know. */
  readonly backchannelLogout?: { readonly uri: string; readonly sessionRequired: boolean };
  /** OAuth grant types (RFC 7591 §2): `authorization_code`, `refresh_token`, `client_credentials`, `password`, and RFC 8628's. */
  readonly grantTypes: readonly string[];
  /** Scopes it may ask for; empty: all that its resources and OpenID Connect define. */
  readonly scopes: readonly string[];
  /** Resource URIs it may ask tokens for, beside the default audience. The first is what it gets when it asks for none. */
  readonly resources: readonly string[];
  /** Ours: people are not asked for consent. */
  readonly firstParty: boolean;
  /** How sure it has to be of who somebody is (`default_acr_values`, OIDC Registration §2); none where absent. */
  readonly acrValues?: readonly string[];
  readonly tokenEndpointAuthMethod: 'client_secret_basic' | 'private_key_jwt' | 'none';
  /** SHA-256 of each secret; the newest first. */
  readonly secretHashes: readonly string[];
  /** Until when each of those after the newest is good, in their order; one time where an earlier Postern kept the one before. */
  readonly oldSecretsUntil?: readonly number[] | number;
  /** Public keys for `private_key_jwt` (RFC 7523), as a JWK set. */
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  /** It registered itself; absent where an operator did. */
  readonly registration?: Registration;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** How an application came that registered itself (RFC 7591), and how it changes what it said. */
export interface Registration {
  /** SHA-256 of its registration access token (RFC 7592). */
  readonly tokenHash: string;
  /** The initial access token it came with; absent where anybody may come. */
  readonly initialToken?: string;
  /** What an operator decided of it since, by the names of its terms: that it cannot change. */
  readonly decided?: readonly string[];
  /** An operator vouches for it: people are not warned of it. */
  readonly vouched?: true;
  /** How it said that it gives its secret; the other way is as good. */
  readonly method?: 'client_secret_post';
  readonly softwareId?: string;
  readonly softwareVersion?: string;
}

/** What allows applications to register themselves (RFC 7591 §1.2). The row's id is the first half of what was issued. */
export interface InitialAccessToken {
  /** SHA-256 of the second half. */
  readonly hash: string;
  /** How many more may register with it. */
  readonly left: number;
  readonly createdAt: number;
}

/** An API that tokens are for. The row's id is its URI, which is the `aud` of its tokens. */
export interface Resource {
  readonly name?: string;
  readonly scopes: readonly string[];
  /** Lifetime of its access tokens in milliseconds; the setting `tokens.access` where absent. */
  readonly ttl?: number;
  /** Machine tokens are recorded too, so that they can be introspected and revoked. */
  readonly revocable: boolean;
  /** What its access tokens are signed with; RS256 where absent. */
  readonly alg?: SigningKey['alg'];
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
  /** Scopes by resource URI. */
  readonly resources: Readonly<Record<string, readonly string[]>>;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** When the application last got a token under it. */
  readonly lastUsedAt?: number;
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
  /** A keyed digest of what a person types for a device: too short for one that has no key. */
  readonly userCode?: string;
  /** When the device last asked what became of its code. */
  readonly polledAt?: number;
  /** When it was used up (codes, refresh tokens, pushed requests). */
  readonly consumedAt?: number;
  /** Row id of the refresh token that follows this one. */
  readonly successor?: string;
  /** Row id of the access token that came with it, where the answer is made again and not kept. */
  readonly access?: string;
}

/** The answer a refresh was given, kept for a retry. The row's id is that of the refresh token that was presented. */
export interface RefreshAnswer {
  /** Sealed under the presented token itself: nobody without it can read the answer. */
  readonly sealed: string;
  /** A digest of what was asked beside the token (scope, resource): another request is not a retry. */
  readonly request: string;
}

/** A form that was sent, or what was shown because of it; the row's id is a digest of all that it held. */
export interface SentForm {
  /** Where it led, or what was shown, sealed under the form itself; absent while it is being done. */
  readonly sealed?: string;
}

/** An assertion or DPoP proof that was seen, by a digest of issuer and `jti`; or what else is known for a moment to have been. */
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

export type FactorKind = 'totp' | 'passkey' | 'recovery';

/** What a person can prove who they are with, beside the password. */
export interface Factor {
  readonly accountId: string;
  readonly kind: FactorKind;
  /** What its owner calls it. */
  readonly name?: string;
  /** A TOTP key, sealed under the master key. */
  readonly sealed?: string;
  /** The last time step a TOTP code was accepted for (RFC 6238 §5.2): from then on only later ones are. */
  readonly lastStep?: number;
  /** A keyed digest of each recovery code that is still good. */
  readonly digests?: readonly string[];
  /** Its owner said that they kept the recovery codes. */
  readonly kept?: boolean;
  readonly passkey?: Passkey;
  readonly createdAt: number;
  readonly lastUsedAt?: number;
}

/** A WebAuthn credential (WebAuthn §4, "credential record"). */
export interface Passkey {
  /** What the browser finds it by, base64url. */
  readonly credential: string;
  /** COSE, base64url. */
  readonly publicKey: string;
  /** The signature counter it was last seen with; 0 where it counts nothing. */
  readonly counter: number;
  readonly transports: readonly string[];
  /** It may be on several devices of its owner; `backedUp` says whether it was when last seen. */
  readonly synced: boolean;
  readonly backedUp: boolean;
  /** The model of the authenticator, a UUID; zeros where it does not say. */
  readonly aaguid: string;
}

/** A challenge, or an enrolment begun, that was answered. The row's id is its SHA-256: nobody answers it again. */
export interface Challenge {
  readonly purpose: 'enrol-passkey' | 'enrol-totp' | 'passkey';
  readonly accountId?: string;
  /** SHA-256 of what it was bound to: an interaction, or a session. */
  readonly boundTo: string;
}

export type LinkPurpose =
  | 'sign-up'
  | 'invitation'
  | 'verify-email'
  | 'change-email'
  | 'reset-password'
  | 'email-code'
  | 'setup';

/**
 * A link that was mailed or printed, whose row's id is a digest of purpose and secret; or a mailed code, whose row's id is
 * a digest of what it is for. Using it removes it.
 */
export interface Link {
  readonly purpose: LinkPurpose;
  /** A digest of its purpose and whom it is for: a newer one ends the older. */
  readonly of: string;
  readonly accountId?: string;
  /** The address that whoever presents it has proven to read. */
  readonly email?: string;
  /** Somebody else was given it as well, and may have handed it on: it proves nothing of the address. */
  readonly handed?: true;
  /** The account's epoch it was made in: raised since, the link is good for nothing. */
  readonly epoch?: number;
  /** The sign-in it was asked for in, and a digest of the name of that browser. */
  readonly interaction?: string;
  readonly browser?: string;
  /** A digest of the form that used it up, a moment ago: its second click is answered as the first. */
  readonly usedBy?: string;
  /** A keyed digest of a code, and how often another one was tried. */
  readonly code?: string;
  readonly wrong?: number;
  readonly createdAt: number;
}

/** A provider people may sign in with instead of a password here. The row's id is its short name in paths. */
export interface Upstream {
  /** As the button calls it. */
  readonly name: string;
  /** A row of upstream/kinds: `oidc`, `google`, `github`, … */
  readonly kind: string;
  /** Where it is: together with a subject it says who somebody is, so it never changes. */
  readonly issuer: string;
  readonly clientId: string;
  /** Sealed under the master key. */
  readonly sealedSecret?: string;
  readonly scopes: readonly string[];
  /** Its word about an e-mail address is believed. */
  readonly trustsEmail: boolean;
  /** Whoever it vouches for, and nobody here knows, is given an account. */
  readonly signsUp: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Who somebody is at an upstream. The row's id is a digest of upstream and `sub`. */
export interface Identity {
  readonly accountId: string;
  readonly upstream: string;
  readonly subject: string;
  /** As the upstream calls them; shown to their owner only, never compared. */
  readonly label?: string;
  readonly createdAt: number;
  readonly lastUsedAt?: number;
}

/** A sign-in that is under way at an upstream, or what came of it. The row's id is a digest of the interaction. */
export interface UpstreamRequest {
  readonly upstream: string;
  /** State, nonce and PKCE verifier, or who it says they are, sealed under the master key. */
  readonly sealed: string;
}

/** Where and when a session was begun. The row's id is that of its uid in the sessions table. */
export interface SessionPlace {
  readonly accountId: string;
  readonly address: string;
  readonly userAgent: string;
  readonly signedInAt: number;
  readonly lastSeenAt: number;
}

/**
 * Something to be done after a commit, outside this store: tried again until it is done or given up. Rows of a kind come
 * in the order in which they are due: the id begins with that moment, and putting off is another id.
 */
export interface Delivery {
  readonly kind: 'request' | 'mail' | 'logout';
  /** What is sent and where to, sealed under the master key. */
  readonly sealed: string;
  readonly attempts: number;
  readonly createdAt: number;
  /** Given up from then on. */
  readonly until: number;
  /** Whom it is about, for the audit. */
  readonly accountId?: string;
}

/**
 * What a store says of itself. `moved`: its rows live elsewhere from then on, and it is not served again; `arriving`: it was
 * filled by a move that is not finished; `restored`: it was filled from a backup, and nothing issued before then is good;
 * `issuer`: as which it was served last, and since when.
 */
export interface Mark {
  readonly at: number;
  /** Names the move, so that both its stores know it again. */
  readonly move?: string;
  /** The other store, or the backup, in words; the issuer. */
  readonly other: string;
}

export type MarkName = 'moved' | 'arriving' | 'restored' | 'issuer';
