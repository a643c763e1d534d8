/**
 * What happened to one sign-in at one application (a *family*: its code and every token that came of it), as those saw it
 * who asked. Tokens go by short names, `a1` and `r1` being the first pair seen; no token is ever written down.
 */
export type Act =
  | { readonly do: 'redeem' }
  /** With a verifier that is not the code's (RFC 7636 §4.6). */
  | { readonly do: 'redeem wrongly' }
  | { readonly do: 'refresh' | 'introspect' | 'revoke'; readonly token: string }
  /** The person signs out, or is disabled: all their families end. */
  | { readonly do: 'end' }
  /** The time in which a refresh may be repeated is over. Never beside another call. */
  | { readonly do: 'wait' };

export type Outcome = 'ok' | 'refused' | 'active' | 'inactive' | 'unknown';

export interface Pair {
  readonly access: string;
  readonly refresh: string;
}

export interface Call {
  readonly act: Act;
  /** Milliseconds on the clock of whoever asked. `to` is absent where no answer came, or one that tells nothing (5xx). */
  readonly from: number;
  readonly to?: number;
  readonly outcome: Outcome;
  readonly gave?: Pair;
  /** What came instead of an answer. */
  readonly why?: string;
  /** An answer that is right for nobody: a 500, an error that was not to be expected. */
  readonly odd?: string;
}

export interface Family {
  readonly name: string;
  readonly calls: readonly Call[];
}

/** One line a call. */
export const inLines = ({ name, calls }: Family): string =>
  [
    `family ${name}`,
    ...calls.map(
      ({ act, from, to, outcome, gave, odd }) =>
        `  ${from.toFixed(1)}–${to?.toFixed(1) ?? '?'}  ${act.do}${'token' in act ? ` ${act.token}` : ''}: ${outcome}` +
        `${gave ? ` ${gave.access} ${gave.refresh}` : ''}${odd ? ` (${odd})` : ''}`,
    ),
  ].join('\n');
