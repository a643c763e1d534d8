import type { AdminPeoplePages } from './admin-people-pages.ts';
import type { AdminUpstreamPages, LinkedShown } from './admin-upstream-pages.ts';
import type { GuardedFrame } from './guarded.ts';

/** A moment, as milliseconds; the view writes it in the operator's language, in UTC. */
export type Moment = number;

/** Somebody or an application an event is about: without a name where it is not here any more. */
interface PersonNamed {
  readonly id: string;
  readonly email: string | undefined;
}

interface ClientNamed {
  readonly id: string;
  readonly name: string | undefined;
  /** Of its page, where it has one. */
  readonly address?: string | undefined;
}

export interface EventShown {
  readonly at: Moment;
  readonly type: string;
  readonly person?: PersonNamed | undefined;
  readonly client?: ClientNamed | undefined;
  /** Whose doing it was, where it was not the person's own. */
  readonly by?: PersonNamed | undefined;
  readonly byClient?: ClientNamed | undefined;
  /** What else tells which: an API, an address. */
  readonly about?: string | undefined;
  /** What is another since, by its names in JSON. */
  readonly changed?: string | undefined;
  /** It made them an operator. */
  readonly admin?: boolean;
}

type ClientType = 'web' | 'spa' | 'native' | 'service';

/** What an operator decides about an application, as it stands in fields. */
interface TermsShown {
  readonly name: string;
  readonly redirectUris: string;
  readonly postLogoutRedirectUris: string;
  readonly scopes: string;
  readonly apis: readonly { readonly uri: string; readonly name: string; readonly chosen: boolean }[];
  /** APIs that are typed; undefined where each has a box. */
  readonly apisTyped: string | undefined;
  readonly passwordGrant: boolean;
  readonly deviceGrant: boolean;
  readonly firstParty: boolean;
}

/** What an operator decides about an API, as it stands in fields. */
interface ApiTermsShown {
  readonly name: string;
  readonly scopes: string;
  /** `15m`; empty where the settings hold. */
  readonly ttl: string;
  readonly revocable: boolean;
}

/** The pages of operators. All texts are plain; the view escapes them. */
export interface AdminPages extends AdminPeoplePages, AdminUpstreamPages {
  readonly admin: GuardedFrame & {
    /** Mails go to a mail server. */
    readonly mailed: boolean;
    /** Whether whoever looks at it signs in with a second factor. */
    readonly secondStep: boolean;
  };
  /** Whoever is signed in is no operator; `other` is where to sign in as somebody else. */
  readonly 'admin-refused': { readonly person: { readonly email: string }; readonly other: string };
  readonly 'admin-applications': GuardedFrame & {
    /** What is looked for in their names; empty for all. */
    readonly wanted: string;
    /** More are found than are told. */
    readonly more: boolean;
    readonly applications: readonly {
      readonly id: string;
      readonly name: string;
      readonly type: ClientType;
      /** It registered itself, and nobody vouches for it. */
      readonly unknown: boolean;
    }[];
    readonly next?: string | undefined;
  };
  readonly 'admin-application-new': GuardedFrame & { readonly type: string; readonly terms: TermsShown };
  readonly 'admin-application': GuardedFrame & {
    readonly id: string;
    readonly name: string;
    readonly type: ClientType;
    readonly grants: readonly string[];
    readonly authMethod: 'none' | 'client_secret_basic' | 'private_key_jwt';
    /** The least that people prove for it: any of these. */
    readonly acrValues: readonly string[];
    /** Where it is told of sign-outs. */
    readonly logout?: string | undefined;
    /** It registered itself. */
    readonly registration?: { readonly vouched: boolean } | undefined;
    readonly oldSecretsUntil: readonly Moment[];
    readonly createdAt: Moment;
    readonly updatedAt: Moment;
    /** What the fields held when they were shown, see admin/pages/seen.ts. */
    readonly seen: string;
    readonly terms: TermsShown;
    /** How long an old secret may be kept, in seconds. */
    readonly keep: readonly string[];
  };
  readonly 'admin-apis': GuardedFrame & {
    readonly apis: readonly { readonly uri: string; readonly name?: string | undefined; readonly address: string }[];
    readonly next?: string | undefined;
  };
  readonly 'admin-api-new': GuardedFrame & { readonly uri: string; readonly terms: ApiTermsShown };
  readonly 'admin-api': GuardedFrame & {
    readonly uri: string;
    /** What people see. */
    readonly called: string;
    readonly alg: string;
    readonly createdAt: Moment;
    /** What the fields held when they were shown, see admin/pages/seen.ts. */
    readonly seen: string;
    readonly terms: ApiTermsShown;
  };
  readonly 'admin-keys': GuardedFrame & {
    readonly keys: readonly {
      readonly kid: string;
      readonly alg: string;
      readonly state: 'published' | 'signing' | 'retired';
      readonly signsFrom: Moment;
      readonly dropsAt?: Moment;
    }[];
  };
  readonly 'admin-events': GuardedFrame & {
    /** Whom and which kind is looked for, as typed. */
    readonly user: string;
    readonly type: string;
    readonly filtered: boolean;
    readonly events: readonly EventShown[];
    readonly next?: string | undefined;
  };
  readonly 'admin-explain': GuardedFrame & {
    readonly id: string;
    readonly found?:
      | {
          readonly at: Moment;
          readonly error: string;
          readonly sentence: string;
          readonly rule: string;
          readonly asked: Readonly<Record<string, unknown>>;
          readonly registered: Readonly<Record<string, unknown>>;
        }
      | undefined;
  };
  /** Asks before something goes for good. */
  readonly 'admin-remove': GuardedFrame & {
    readonly what: 'person' | 'application' | 'api' | 'upstream';
    readonly name: string;
    /** What goes with a provider. */
    readonly linked?: LinkedShown | undefined;
    /** Since when it is here, where another may come to have its name. */
    readonly since?: Moment | undefined;
    readonly back: string;
  };
  /** What nobody is shown again. */
  readonly 'admin-once': {
    readonly what: 'link' | 'secret';
    /** The `client_id` beside a secret. */
    readonly id?: string | undefined;
    readonly value: string;
    /** Whose it is. */
    readonly name: string;
    readonly until?: Moment | undefined;
    readonly onwards: string;
  };
}
