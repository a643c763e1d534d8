type Labels = Readonly<Record<string, string | number>>;

/** One line of a measure, as prom-client reads it. */
interface Line {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
}

/** What prom-client asks of a metric that is registered with it. */
export interface Measure {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** What several processes make of theirs together. */
  readonly aggregator: 'sum' | 'max' | 'min';
  /** At this moment; whoever adds up several processes writes into them. */
  lines(): Line[];
}

/** A number for each combination of labels. */
export class Counted implements Measure {
  readonly name: string;
  readonly help: string;
  readonly type: Measure['type'];
  readonly aggregator: Measure['aggregator'];
  readonly #labels: readonly string[];
  readonly #values = new Map<string, { readonly labels: Labels; value: number }>();

  constructor(
    name: string,
    help: string,
    labels: readonly string[],
    { type = 'counter', aggregator = 'sum' }: Partial<Pick<Measure, 'type' | 'aggregator'>> = {},
  ) {
    [this.name, this.help, this.#labels, this.type, this.aggregator] = [name, help, labels, type, aggregator];
  }

  /** @param values of the labels, in their order; words of ours, without blanks */
  add(...values: readonly string[]): void {
    this.#at(values).value += 1;
  }

  set(value: number, ...values: readonly string[]): void {
    this.#at(values).value = value;
  }

  lines(): Line[] {
    return [...this.#values.values()].map((line) => ({ ...line }));
  }

  #at(values: readonly string[]) {
    const key = values.join(' ');
    const known = this.#values.get(key);
    if (known) return known;
    const labels = Object.fromEntries(this.#labels.map((label, at) => [label, values[at]!]));
    const line = { labels, value: 0 };
    this.#values.set(key, line);
    return line;
  }
}

/** Seconds, those of most ordinary work in the middle. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** How long something took, for each value of a label, or of all together. */
export class Timed implements Measure {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #label: string | undefined;
  /** How many took longer than the bound before and no longer than theirs; those behind the last bound are the last. */
  readonly #taken = new Map<string, { readonly counts: Float64Array; seconds: number }>();

  constructor(name: string, help: string, label?: string) {
    [this.name, this.help, this.#label] = [name, help, label];
  }

  add(seconds: number, of = ''): void {
    const taken = this.#at(of);
    let at = 0;
    while (at < BOUNDS.length && seconds > BOUNDS[at]!) at += 1;
    taken.counts[at]! += 1;
    taken.seconds += seconds;
  }

  #at(of: string) {
    const known = this.#taken.get(of);
    if (known) return known;
    const taken = { counts: new Float64Array(BOUNDS.length + 1), seconds: 0 };
    this.#taken.set(of, taken);
    return taken;
  }

  lines(): Line[] {
    return [...this.#taken].flatMap(([of, { counts, seconds }]) => {
      const labels: Labels = this.#label === undefined ? {} : { [this.#label]: of };
      let count = 0;
      const below = [...BOUNDS, '+Inf'].map((le, at) => {
        count += counts[at]!;
        return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: count };
      });
      return [
        ...below,
        { metricName: `${this.name}_sum`, labels: { ...labels }, value: seconds },
        { metricName: `${this.name}_count`, labels: { ...labels }, value: count },
      ];
    });
  }
}
