/** The middle of several measurements, and how far they lay apart. */
export interface Figure {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function figure(values: readonly number[]): Figure {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return {
    median: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2,
    low: sorted[0]!,
    high: sorted.at(-1)!,
  };
}

type Slice = () => Promise<number>;

export interface Interleaved {
  readonly limit: Figure;
  readonly work: Readonly<Record<string, { readonly rate: Figure; readonly share: Figure }>>;
}

/**
 * Measures a limit and what is held against it in short turns, limit, work, limit, work, so that a noisy neighbour meets
 * both. Each share is of the mean of the limits just before and just after.
 */
export async function interleave(
  rounds: number,
  limit: Slice,
  work: Readonly<Record<string, Slice>>,
): Promise<Interleaved> {
  const limits: number[] = [];
  const rates: Record<string, number[]> = Object.fromEntries(Object.keys(work).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    limits.push(await limit());
    for (const [name, slice] of Object.entries(work)) rates[name]!.push(await slice());
  }
  limits.push(await limit());
  const around = (round: number): number => (limits[round]! + limits[round + 1]!) / 2;
  return {
    limit: figure(limits),
    work: Object.fromEntries(
      Object.entries(rates).map(([name, values]) => [
        name,
        { rate: figure(values), share: figure(values.map((rate, round) => rate / around(round))) },
      ]),
    ),
  };
}
