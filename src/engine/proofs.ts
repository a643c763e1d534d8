import type { Interaction, InteractionResults } from 'oidc-provider';
import { together } from '../domain/index.ts';
import { inSeconds, minutes, numericDate, seconds } from '../lib/index.ts';

/** Something a person has just proven in an interaction. */
export interface Proof {
  readonly accountId: string;
  /** How, in words of RFC 8176. */
  readonly amr: readonly string[];
  /** Keep the browser signed in after it is closed; what was said before holds where absent. */
  readonly remember?: boolean;
  /** The account's epoch when they proved it. */
  readonly epoch: number;
  /** When they proved it, in milliseconds, where that is longer ago than this moment. */
  readonly provedAt?: number | undefined;
}

/** All that one person has proven in an interaction, kept in it before the engine hears of anybody. */
export interface Proven {
  readonly accountId: string;
  readonly amr: readonly string[];
  readonly remember: boolean;
  readonly epoch: number;
  /** When the oldest of it was proven, in seconds: the `auth_time` to be. */
  readonly ts: number;
  /** When the first of it was proven in this interaction, in seconds. */
  readonly since: number;
}

/** An interaction as it is stored, with what we keep in it beside the engine's own. */
export type Stored = Interaction & {
  /** The request it was begun by was pushed (RFC 9126). */
  readonly parJti?: string;
  readonly result?: InteractionResults & {
    readonly proven?: Proven;
    /** In which browser `proven` or `login` was proven (own-browser.ts). */
    readonly browser?: string;
    /** Of the account, when `login` was proven. */
    readonly epoch?: number;
    readonly anotherAccount?: boolean;
    /** The address of whom they chose, '' for somebody else. */
    readonly chosen?: string;
    /** Whoever is signed in goes on as they are. */
    readonly kept?: boolean;
    /** What the answer that ends the interaction is sealed under for a moment (kept-answers.ts). */
    readonly answerKey?: string;
  };
};

/** The engine's prompts that a sign-in answers. */
const ASKS_WHO: ReadonlySet<string> = new Set(['login', 'select_account']);

/** The one reason to ask for which the session goes on to count (policy.ts). */
export const ASSURANCE = 'assurance';

/** A password that was given longer ago than this is asked for again before a second factor is taken. */
const COUNTS_FOR = minutes(15);

const inTime = ({ since }: Proven): boolean => Date.now() < seconds(since) + COUNTS_FOR;

/** Whether the engine asks who it is. What was answered in an interaction before is then worth nothing. */
export const asksWho = ({ prompt }: Stored): boolean => ASKS_WHO.has(prompt.name);

/** Whether that is answered. */
export const isSignedIn = (interaction: Stored): boolean => {
  const { anotherAccount, login, kept } = interaction.result ?? {};
  return anotherAccount !== true && (!asksWho(interaction) || login !== undefined || kept === true);
};

/** What was proven in this interaction and still counts. */
export const provenHere = ({ result }: Stored): Proven | undefined =>
  result?.proven && inTime(result.proven) ? result.proven : undefined;

/** Who is signed in, where they are asked for nothing but a further proof (RFC 9470). */
export function steppingUp({ prompt, result, session }: Stored): { accountId: string; amr: string[] } | undefined {
  const only = prompt.name === 'login' && prompt.reasons.every((reason) => reason === ASSURANCE);
  if (!only || result?.anotherAccount || !session?.accountId) return undefined;
  return { accountId: session.accountId, amr: session.amr ?? [] };
}

/** One more proof, added to what the same person has proven before. Another person begins anew. */
export function added(before: Proven | undefined, proof: Proof): Proven {
  const now = numericDate();
  const same = before?.accountId === proof.accountId && before.epoch === proof.epoch ? before : undefined;
  return {
    accountId: proof.accountId,
    epoch: proof.epoch,
    amr: together(same?.amr ?? [], proof.amr),
    remember: proof.remember ?? same?.remember ?? false,
    ts: Math.min(same?.ts ?? now, inSeconds(proof.provedAt ?? Infinity), now),
    since: same?.since ?? now,
  };
}
