import type { GuardedFrame } from './guarded.ts';

/** A moment, as milliseconds; the view writes it in the person's language, in UTC. */
type Moment = number;

/** Where somebody is signed in. */
export interface SignInShown {
  /** Names the session. */
  readonly id: string;
  /** `Firefox on Linux`: names that are the same in every language; absent where the browser does not tell. */
  readonly browser?: string | undefined;
  readonly system?: string | undefined;
  readonly address: string;
  readonly signedInAt: Moment;
  readonly lastSeenAt: Moment;
}

/** The pages of somebody's own account. All texts are plain; the view escapes them. */
export interface AccountPages {
  readonly account: GuardedFrame & {
    readonly hasPassword: boolean;
    /** They may open the pages of operators. */
    readonly operator: boolean;
    readonly factors: number;
    readonly sessions: number;
    readonly applications: number;
    /** Absent where there is nobody to link to. */
    readonly linked?: number | undefined;
  };
  readonly 'account-linked': GuardedFrame & {
    readonly linked: readonly {
      readonly id: string;
      readonly upstream: string;
      readonly label?: string | undefined;
      readonly createdAt: Moment;
      readonly lastUsedAt?: Moment | undefined;
    }[];
    readonly offered: readonly { readonly id: string; readonly name: string }[];
    /** What came of linking one: told once. `id` is for whoever runs the server. */
    readonly outcome?:
      | { readonly upstream: string; readonly linked: 'here' | 'elsewhere' }
      | { readonly upstream: string; readonly reason: string; readonly id: string }
      | undefined;
  };
  readonly 'account-profile': GuardedFrame & {
    /** As it is, or as typed before. */
    readonly name: string;
    readonly emailVerified: boolean;
  };
  readonly 'account-email': GuardedFrame & { readonly email: string };
  readonly 'account-password': GuardedFrame & {
    /** The fewest characters. */
    readonly minimum: number;
  };
  readonly 'account-factors': GuardedFrame & {
    readonly factors: readonly {
      readonly id: string;
      readonly kind: 'passkey' | 'totp';
      readonly name?: string | undefined;
      readonly createdAt: Moment;
      readonly lastUsedAt?: Moment | undefined;
    }[];
    /** A name that was typed before and cannot be. */
    readonly naming?: { readonly factor: string; readonly name: string } | undefined;
    /** Whether browsers make passkeys for this server. */
    readonly passkeys: boolean;
    /** How many recovery codes are left; undefined where there never were any. */
    readonly codesLeft: number | undefined;
  };
  readonly 'account-totp': GuardedFrame & {
    readonly totp: { readonly enrolment: string; readonly secret: string; readonly uri: string };
  };
  readonly 'account-passkey': GuardedFrame & {
    /** What the browser makes one from, WebAuthn §5.4; absent where the server's host can have none. */
    readonly passkey?: object | undefined;
    readonly name: string;
  };
  readonly 'account-sessions': GuardedFrame & {
    readonly sessions: readonly (SignInShown & { readonly current: boolean })[];
    /** There are more than the one of this browser. */
    readonly others: boolean;
    /** The page of them that this is, and the address of the next one. */
    readonly after?: string | undefined;
    readonly next?: string | undefined;
  };
  readonly 'account-applications': GuardedFrame & {
    readonly applications: readonly {
      readonly id: string;
      readonly name: string;
      readonly scopes: readonly string[];
      readonly resources: readonly { readonly name: string; readonly scopes: readonly string[] }[];
      readonly since: Moment;
      readonly lastUsedAt?: Moment | undefined;
    }[];
  };
  readonly 'account-events': GuardedFrame & {
    readonly events: readonly {
      readonly at: Moment;
      readonly type: string;
      readonly client?: string | undefined;
      readonly browser?: string | undefined;
      readonly system?: string | undefined;
      readonly address: string;
    }[];
  };
  readonly 'account-data': GuardedFrame;
  readonly 'account-deleted': Readonly<Record<never, never>>;
}
