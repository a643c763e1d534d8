/**
 * A binary heap of ids by the moment they are due; the earliest is on top. Two flat arrays instead of one of objects: in a
 * store of a million rows that is 50 MB less.
 */
export class ExpiryHeap {
  readonly #times: number[] = [];
  readonly #ids: string[] = [];

  /** When the first one is due; infinity when there is none. */
  get firstAt(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  push(at: number, id: string): void {
    let place = this.#times.length;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (this.#times[parent]! <= at) break;
      this.#copy(parent, place);
      place = parent;
    }
    this.#set(place, at, id);
  }

  /** Takes the first one off. There must be one. */
  shift(): string {
    const first = this.#ids[0]!;
    const at = this.#times.pop()!;
    const id = this.#ids.pop()!;
    const { length } = this.#times;
    if (length === 0) return first;
    let place = 0;
    for (let child = 1; child < length; child = 2 * place + 1) {
      if (child + 1 < length && this.#times[child + 1]! < this.#times[child]!) child += 1;
      if (at <= this.#times[child]!) break;
      this.#copy(child, place);
      place = child;
    }
    this.#set(place, at, id);
    return first;
  }

  #copy(from: number, to: number): void {
    this.#set(to, this.#times[from]!, this.#ids[from]!);
  }

  #set(place: number, at: number, id: string): void {
    this.#times[place] = at;
    this.#ids[place] = id;
  }
}
