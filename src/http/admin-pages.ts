import type { Locale } from '../words/index.ts';
import type { GuardedFrame } from './guarded.ts';

/** A moment, as milliseconds; the view writes it in the operator's language, in UTC. */
type Moment = number;

/** Somebody or an application an event is about: without a name where it is not here any more. */
interface PersonNamed {
  readonly id: string;
  readonly email: string | undefined;
}

interface ClientNamed {
  readonly id: string;
  readonly name: string | undefined;
}

interface EventShown {
  readonly at: Moment;
  readonly type: string;
  readonly person?: PersonNamed | undefined;
  readonly client?: ClientNamed | undefined;
  /** Whose doing it was, where it was not the person's own. */
  readonly by?: PersonNamed | undefined;
  readonly byClient?: ClientNamed | undefined;
  /** What else tells which: an API, an address. */
  readonly about?: string | undefined;
}

/** The pages of operators. All texts are plain; the view escapes them. */
export interface AdminPages {
  readonly admin: GuardedFrame & {
    /** Mails go to a mail server. */
    readonly mailed: boolean;
    /** Whether whoever looks at it signs in with a second factor. */
    readonly secondStep: boolean;
  };
  /** Whoever is signed in is no operator; `other` is where to sign in as somebody else. */
  readonly 'admin-refused': { readonly person: { readonly email: string }; readonly other: string };
  readonly 'admin-people': GuardedFrame & {
    /** As typed to find somebody by. */
    readonly email: string;
    readonly people: readonly {
      readonly id: string;
      readonly email: string;
      readonly name?: string | undefined;
      readonly admin: boolean;
      readonly disabled: boolean;
    }[];
    /** The address of the next page of them. */
    readonly next?: string | undefined;
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
    readonly factors: readonly {
      readonly kind: string;
      readonly name?: string | undefined;
      /** Of recovery codes. */
      readonly left?: number | undefined;
      readonly createdAt: Moment;
      readonly lastUsedAt?: Moment | undefined;
    }[];
    readonly sessions: number;
    readonly events: readonly EventShown[];
  };
  /** Asks before something goes for good. */
  readonly 'admin-remove': GuardedFrame & {
    readonly what: 'person';
    readonly name: string;
    readonly back: string;
  };
  /** What nobody is shown again. */
  readonly 'admin-once': {
    readonly what: 'link';
    readonly value: string;
    /** Whose it is. */
    readonly name: string;
    readonly until?: Moment | undefined;
    readonly onwards: string;
  };
}
