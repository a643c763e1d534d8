import type { TableName } from '../records.ts';

/** A row to look at, at the earliest, at this moment. */
export interface Due {
  readonly at: number;
  readonly table: TableName;
  readonly id: string;
}

/** A binary heap: the row that expires first is on top. */
export class ExpiryHeap {
  readonly #due: Due[] = [];

  get first(): Due | undefined {
    return this.#due[0];
  }

  push(due: Due): void {
    const heap = this.#due;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (heap[parent]!.at <= due.at) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = due;
  }

  /** Takes the first one off. */
  shift(): void {
    const heap = this.#due;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child += 1;
      if (last.at <= heap[child]!.at) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
