/**
 * Whether there is one order of the calls, each at some moment between its beginning and its end, in which every answer is
 * allowed (linearizability; Wing and Gong 1993, with Lowe's memory of what was tried). A call without an answer may have
 * happened at any moment after it began, or never.
 */
import type { Call } from './history.ts';
import { after, BEGINNING, type State } from './rules.ts';

const endOf = ({ to }: Call): number => to ?? Number.POSITIVE_INFINITY;

/** Redemptions that ran beside one that may have succeeded. */
function besideARedemption(calls: readonly Call[]): boolean[] {
  const winners = calls.filter(
    ({ act, outcome }) => act.do === 'redeem' && (outcome === 'ok' || outcome === 'unknown'),
  );
  return calls.map((call) =>
    winners.some((winner) => winner !== call && winner.from < endOf(call) && call.from < endOf(winner)),
  );
}

export function isLinearizable(calls: readonly Call[]): boolean {
  const beside = besideARedemption(calls);
  const answered = calls.filter(({ to }) => to !== undefined).length;
  const tried = new Set<string>();

  function goOn(taken: ReadonlySet<number>, done: number, state: State): boolean {
    if (done === answered) return true;
    const key = `${[...taken].toSorted((a, b) => a - b).join()}|${JSON.stringify(state)}`;
    if (tried.has(key)) return false;
    tried.add(key);
    let firstEnd = Number.POSITIVE_INFINITY;
    for (const [i, call] of calls.entries()) if (!taken.has(i)) firstEnd = Math.min(firstEnd, endOf(call));
    for (const [i, call] of calls.entries()) {
      // Whoever began after another had ended comes after it.
      if (taken.has(i) || call.from > firstEnd) continue;
      for (const next of after(state, call, { besideARedemption: beside[i]! })) {
        if (goOn(new Set([...taken, i]), done + (call.to === undefined ? 0 : 1), next)) return true;
      }
    }
    return false;
  }

  return goOn(new Set(), 0, BEGINNING);
}
