/**
 * What may be answered, one call after the other: the whole of what is promised about a family of tokens, as a small machine.
 * A code is good once, and presented again ends the family; each refresh token has one successor, its retry within the
 * window gets the same answer, anything else ends the family; what has ended stays so.
 */
import type { Call, Pair } from './history.ts';

export interface State {
  readonly alive: boolean;
  readonly redeemed: boolean;
  /** Every pair that was issued, in order; one that nobody saw is `?`. */
  readonly pairs: readonly Pair[];
  /** Refresh tokens before this place were used so long ago that they may not be repeated. */
  readonly closed: number;
  /** Pairs before this place, and the code, were revoked by somebody who never heard whether it was done. */
  readonly severed: number;
}

export const BEGINNING: State = { alive: true, redeemed: false, pairs: [], closed: 0, severed: 0 };

const UNSEEN: Pair = { access: '?', refresh: '?' };

/** The states in which the call may leave things; none when its answer is not allowed. */
export function after(state: State, call: Call, { besideARedemption }: { besideARedemption: boolean }): State[] {
  const { act, outcome } = call;
  const unknown = outcome === 'unknown';
  const may = (...outcomes: string[]) => unknown || outcomes.includes(outcome);
  const ended = { ...state, alive: false };
  switch (act.do) {
    case 'redeem':
      if (!state.alive) return may('refused') ? [state] : [];
      if (state.severed > 0) return may('refused') ? [state] : [];
      if (!state.redeemed) return may('ok') ? [{ ...state, redeemed: true, pairs: [call.gave ?? UNSEEN] }] : [];
      // Of those who ask at once, one that sees the code still fresh loses at the commit, and ends nothing.
      return may('refused') ? [...(besideARedemption ? [state] : []), ended] : [];
    case 'redeem wrongly':
      return may('refused') ? [state] : [];
    case 'refresh':
      return refresh(state, act.token, call);
    case 'introspect': {
      const isLast = state.pairs.at(-1)?.refresh === act.token;
      const place = state.pairs.findIndex((pair) => pair.access === act.token || pair.refresh === act.token);
      const isGood = isLast || state.pairs[place]?.access === act.token;
      const active = state.alive && isGood && place >= state.severed;
      return may(active ? 'active' : 'inactive') ? [state] : [];
    }
    case 'revoke':
      // A process that dies between what it revokes and what came meanwhile has told nobody that it was done.
      if (unknown)
        return [ended, ...state.pairs.map((_, i) => ({ ...state, severed: Math.max(state.severed, i + 1) }))];
      return may('ok') ? [ended] : [];
    case 'end':
      return may('ok') ? [ended] : [];
    case 'wait':
      return [{ ...state, closed: Math.max(0, state.pairs.length - 1) }];
  }
}

function refresh(state: State, token: string, { outcome, gave }: Call): State[] {
  const unknown = outcome === 'unknown';
  if (!state.alive) return unknown || outcome === 'refused' ? [state] : [];
  const place = state.pairs.findIndex((pair) => pair.refresh === token);
  if (place < 0) return [];
  if (place < state.severed) return unknown || outcome === 'refused' ? [state] : [];
  const last = state.pairs.length - 1;
  if (place === last) {
    return unknown || outcome === 'ok' ? [{ ...state, pairs: [...state.pairs, gave ?? UNSEEN] }] : [];
  }
  if (place === last - 1 && place >= state.closed) {
    if (unknown) return [state];
    const given = state.pairs[last]!;
    if (outcome !== 'ok' || !gave) return [];
    // An answer nobody saw is seen now.
    if (given.refresh === '?') return [{ ...state, pairs: [...state.pairs.slice(0, last), gave] }];
    return gave.refresh === given.refresh && gave.access === given.access ? [state] : [];
  }
  return unknown || outcome === 'refused' ? [{ ...state, alive: false }] : [];
}
