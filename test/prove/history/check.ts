/**
 * What the calls of a history prove: what was acknowledged and is gone (lost), what was used or ended and works again
 * (resurrected), what was refused and happened all the same (phantom), and what was issued twice.
 */
import { type Call, type Family, inLines } from './history.ts';
import { isLinearizable } from './linearize.ts';

export type Fault = 'lost' | 'resurrected' | 'phantom' | 'twice' | 'odd';

export interface Found {
  readonly fault: Fault;
  readonly family: Family;
  /** The answer that no order of the calls before it allows. */
  readonly culprit: Call;
}

export interface Verdict {
  readonly families: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  readonly found: readonly Found[];
}

export function check(families: readonly Family[]): Verdict {
  const outcomes = families.flatMap(({ calls }) => calls.map(({ outcome }) => outcome));
  const count = (...wanted: string[]) => outcomes.filter((outcome) => wanted.includes(outcome)).length;
  return {
    families: families.length,
    acknowledged: count('ok', 'active', 'inactive'),
    refused: count('refused'),
    unknown: count('unknown'),
    found: families.flatMap((family) => faultOf(family) ?? []),
  };
}

/** What is wrong with a family's history; undefined when nothing is. */
export function faultOf(family: Family): Found | undefined {
  const odd = family.calls.find((call) => call.odd);
  if (odd) return { fault: 'odd', family, culprit: odd };
  if (isLinearizable(family.calls)) return undefined;
  const culprit = firstImpossible(family.calls);
  return { fault: kindOf(family.calls, culprit), family, culprit };
}

/** The first answer that made the history impossible: until then those under way may still have come out in any way. */
function firstImpossible(calls: readonly Call[]): Call {
  const ends = calls.flatMap((call) => (call.to === undefined ? [] : [call.to])).toSorted((a, b) => a - b);
  for (const end of ends) {
    const seen = until(calls, end);
    if (!isLinearizable(seen)) return calls.find(({ to }) => to === end)!;
  }
  throw new Error('a history that is possible at every moment is possible');
}

const until = (calls: readonly Call[], end: number): Call[] =>
  calls
    .filter(({ from }) => from <= end)
    .map((call) => (call.to !== undefined && call.to <= end ? call : pending(call)));

const pending = ({ act, from }: Call): Call => ({ act, from, outcome: 'unknown' });

function kindOf(calls: readonly Call[], culprit: Call): Fault {
  if (culprit.outcome === 'active') return 'resurrected';
  if (culprit.outcome === 'ok') return isSecond(calls, culprit) ? 'twice' : 'resurrected';
  // If a refused call may have happened after all, is everything explained?
  const seen = until(calls, culprit.to!);
  const doubted = seen.map((call) => (call.outcome === 'refused' && call !== culprit ? effective(call) : call));
  return isLinearizable(doubted) ? 'phantom' : 'lost';
}

/** A refused call as if it had been a good one whose answer was lost. */
const effective = (call: Call): Call =>
  pending(call.act.do === 'redeem wrongly' ? { ...call, act: { do: 'redeem' } } : call);

/** Whether the same was given out before, and something else. */
function isSecond(calls: readonly Call[], { act, gave, to }: Call): boolean {
  return calls.some(
    (other) =>
      other.outcome === 'ok' &&
      other.act.do === act.do &&
      ('token' in other.act ? other.act.token : '') === ('token' in act ? act.token : '') &&
      other.to! < to! &&
      other.gave?.refresh !== gave?.refresh,
  );
}

const FAULTS: readonly Fault[] = ['lost', 'resurrected', 'phantom', 'twice', 'odd'];

export function inWords({ families, acknowledged, unknown, found }: Verdict): string {
  const counts = FAULTS.map((fault) => `${fault} ${found.filter((one) => one.fault === fault).length}`);
  return `${families} sign-ins, ${acknowledged} answers acknowledged, ${unknown} unknown: ${counts.join(', ')}`;
}

/** Everything there is to know about what was found. */
export const told = ({ found }: Verdict): string =>
  found
    .map(
      ({ fault, family, culprit }) =>
        `${fault}: ${culprit.act.do}${'token' in culprit.act ? ` ${culprit.act.token}` : ''} at ${culprit.from.toFixed(1)} was ${culprit.odd ?? culprit.outcome}\n${inLines(family)}`,
    )
    .join('\n\n');

/** Why some calls had no answer. */
export const whys = (families: readonly Family[]): string[] =>
  families.flatMap(({ name, calls }) =>
    calls.flatMap(({ act, from, why }) => (why ? [`${name} ${act.do} at ${from.toFixed(0)}: ${why}`] : [])),
  );
