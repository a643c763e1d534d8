import type { Locale } from '../words/index.ts';
import type { SignInShown } from './account-pages.ts';
import type { EventShown, Moment } from './admin-pages.ts';
import type { GuardedFrame } from './guarded.ts';

/** The pages of operators about people. All texts are plain; the view escapes them. */
export interface AdminPeoplePages {
  readonly 'admin-people': GuardedFrame & {
    /** As typed to find somebody by. */
    readonly who: string;
    readonly people: readonly {
      readonly id: string;
      readonly email: string;
      readonly name?: string | undefined;
      readonly admin: boolean;
      readonly disabled: boolean;
    }[];
    /** The address of the next page of them. */
    readonly next?: string | undefined;
    /** They are those who have it in their names or addresses. */
    readonly found: boolean;
  };
  readonly 'admin-person-new': GuardedFrame & {
    readonly email: string;
    readonly name: string;
    readonly admin: boolean;
    readonly language: string;
    readonly languages: readonly Locale[];
    readonly mailed: boolean;
  };
  readonly 'admin-person': GuardedFrame & {
    readonly id: string;
    /** It is whoever looks at it. */
    readonly self: boolean;
    readonly email: string;
    readonly emailVerified: boolean;
    readonly name?: string | undefined;
    readonly admin: boolean;
    readonly disabled: boolean;
    readonly createdAt: Moment;
    readonly hasPassword: boolean;
    /** Mails go to a mail server. */
    readonly mailed: boolean;
    readonly factors: readonly {
      readonly kind: string;
      readonly name?: string | undefined;
      /** Of recovery codes. */
      readonly left?: number | undefined;
      readonly createdAt: Moment;
      readonly lastUsedAt?: Moment | undefined;
    }[];
    /** With the names of the applications that got something in each. */
    readonly signIns: readonly (SignInShown & { readonly applications: readonly string[] })[];
    /** In how many browsers they are signed in: more than `signIns` where they are on several pages. */
    readonly signedIn: number;
    /** The page of them that this is, and the address of the next one. */
    readonly after?: string | undefined;
    readonly next?: string | undefined;
    readonly events: readonly EventShown[];
  };
  readonly 'admin-person-edit': GuardedFrame & {
    readonly id: string;
    readonly self: boolean;
    /** What the fields held when they were shown, see admin/pages/seen.ts. */
    readonly seen: string;
    /** These as they are, or as typed before. */
    readonly name: string;
    readonly email: string;
    readonly emailVerified: boolean;
    readonly admin: boolean;
  };
}
