import type { Moment } from './admin-pages.ts';
import type { GuardedFrame } from './guarded.ts';

/** A kind of provider: as it is stored, and as people call it. */
interface KindShown {
  readonly id: string;
  readonly name: string;
}

/** How many people are linked; of very many `more` than `n`. */
export interface LinkedShown {
  readonly n: number;
  readonly more: boolean;
}

/** What an operator decides about a provider, as it stands in fields; never its secret. */
interface UpstreamTermsShown {
  readonly name: string;
  readonly client_id: string;
  readonly scopes: string;
  readonly trust_email: boolean;
  readonly sign_up: boolean;
}

interface UpstreamForm extends GuardedFrame {
  readonly kind: KindShown;
  readonly id: string;
  /** What is to be registered there. */
  readonly callback: string;
  readonly terms: UpstreamTermsShown;
  /** A secret was typed, and is not kept with what is shown once more. */
  readonly typedSecret: boolean;
}

/** The pages of operators about the providers people sign in by. All texts are plain; the view escapes them. */
export interface AdminUpstreamPages {
  readonly 'admin-upstreams': GuardedFrame & {
    readonly upstreams: readonly { readonly id: string; readonly name: string; readonly kind: KindShown }[];
  };
  /** Which kind is to be added? */
  readonly 'admin-upstream-kind': GuardedFrame & { readonly kinds: readonly KindShown[] };
  readonly 'admin-upstream-new': UpstreamForm & {
    /** What tells where it is, as it stands in its field; absent where its kind alone does. */
    readonly place?: { readonly by: 'issuer' | 'tenant'; readonly needed: boolean; readonly value: string } | undefined;
  };
  readonly 'admin-upstream': UpstreamForm & {
    /** As it is, whatever stands in its field. */
    readonly called: string;
    readonly issuer: string;
    readonly hasSecret: boolean;
    readonly linked: LinkedShown;
    readonly createdAt: Moment;
    readonly updatedAt: Moment;
    /** What the fields held when they were shown, see admin/pages/seen.ts. */
    readonly seen: string;
  };
}
