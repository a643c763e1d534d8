/** What a client is going to do with one sign-in: drawn from a seed, so that it can be done again. */
import { randomFrom } from '../../store/random.ts';
import type { Pair } from './history.ts';

/** A token by its place, as it will be known when its turn comes: of the last pair given out, the one before, the first. */
type Place = 'last' | 'previous' | 'first';

export type Wish =
  | { readonly do: 'redeem' }
  | { readonly do: 'redeem wrongly' }
  | { readonly do: 'sign out' }
  | { readonly do: 'disable' }
  | OfAToken;

export interface OfAToken {
  readonly do: 'refresh' | 'introspect' | 'revoke';
  readonly kind: keyof Pair;
  readonly place: Place;
}

/** Each step's wishes are made at once. */
export interface Program {
  readonly steps: readonly (readonly Wish[])[];
  /** After the window is over. */
  readonly later: readonly (readonly Wish[])[];
}

const refresh = (place: Place): Wish => ({ do: 'refresh', kind: 'refresh', place });
const REDEEM: Wish = { do: 'redeem' };

/** What may be done at once, and how often it is, of 40. */
const STEPS: readonly (readonly [weight: number, wishes: readonly Wish[]])[] = [
  [8, [refresh('last')]],
  [6, [refresh('last'), refresh('last'), refresh('last')]],
  [3, [refresh('previous')]],
  [2, [refresh('previous'), refresh('last')]],
  [1, [refresh('first')]],
  [4, [{ do: 'introspect', kind: 'access', place: 'last' }]],
  [2, [{ do: 'introspect', kind: 'refresh', place: 'previous' }]],
  [3, [refresh('last'), { do: 'introspect', kind: 'refresh', place: 'last' }]],
  [2, [{ do: 'introspect', kind: 'access', place: 'first' }, refresh('last')]],
  [2, [{ do: 'revoke', kind: 'refresh', place: 'last' }]],
  [1, [{ do: 'revoke', kind: 'access', place: 'last' }, refresh('last')]],
  [1, [{ do: 'revoke', kind: 'refresh', place: 'last' }, refresh('last'), refresh('last')]],
  [1, [REDEEM]],
  [1, [REDEEM, refresh('last')]],
  [1, [{ do: 'redeem wrongly' }]],
  [1, [{ do: 'sign out' }, refresh('last')]],
  [1, [{ do: 'disable' }, refresh('last'), { do: 'introspect', kind: 'access', place: 'last' }]],
];

const FIRST: readonly (readonly [number, readonly Wish[]])[] = [
  [5, [REDEEM]],
  [2, [REDEEM, REDEEM]],
  [2, [REDEEM, REDEEM, REDEEM, { do: 'redeem wrongly' }]],
  [1, [{ do: 'redeem wrongly' }]],
];

export function programOf(seed: number): Program {
  const random = randomFrom(seed);
  const draw = (from: typeof STEPS): readonly Wish[] => {
    let left = random() * from.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, wishes] of from) {
      left -= weight;
      if (left < 0) return wishes;
    }
    return from[0]![1];
  };
  const some = (most: number) => Array.from({ length: Math.floor(random() * (most + 1)) }, () => draw(STEPS));
  return { steps: [draw(FIRST), ...some(6)], later: some(2) };
}
