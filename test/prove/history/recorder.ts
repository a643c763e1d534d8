import type { Act, Call, Family, Outcome, Pair } from './history.ts';

/** Writes down what is done with one sign-in, and knows its tokens by their names. */
export class Recorder {
  readonly name: string;
  readonly #calls: Call[] = [];
  readonly #names = new Map<string, string>();
  /** Pairs in the order they were first seen. */
  readonly #pairs: { readonly access: string; readonly refresh: string }[] = [];

  #acknowledged = 0;

  constructor(name: string) {
    this.name = name;
  }

  get family(): Family {
    return { name: this.name, calls: this.#calls };
  }

  /** Calls that were answered. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Tokens, the first seen first. */
  get pairs(): readonly { readonly access: string; readonly refresh: string }[] {
    return this.#pairs;
  }

  /** The call is there from its beginning, so that one that never ends is not forgotten. */
  begin(act: Act): (outcome: Outcome, more?: { gave?: Pair; odd?: string; why?: string }) => void {
    const at = this.#calls.push({ act, from: performance.now(), outcome: 'unknown' }) - 1;
    return (outcome, more = {}) => {
      const { from } = this.#calls[at]!;
      const to = outcome === 'unknown' ? {} : { to: performance.now() };
      if (outcome !== 'unknown') this.#acknowledged += 1;
      const why = more.why && { why: `${more.why} after ${(performance.now() - from).toFixed(0)} ms` };
      this.#calls[at] = { act, from, ...to, outcome, ...more, ...why };
    };
  }

  /** Remembers tokens under their names. */
  saw(access: string, refresh: string): Pair {
    const known = this.#names.has(refresh);
    const pair = { access: this.nameOf(access, 'a'), refresh: this.nameOf(refresh, 'r') };
    if (!known) this.#pairs.push({ access, refresh });
    return pair;
  }

  nameOf(token: string, letter = '?'): string {
    const name =
      this.#names.get(token) ?? `${letter}${[...this.#names.values()].filter((n) => n[0] === letter).length + 1}`;
    this.#names.set(token, name);
    return name;
  }
}
