/** Shut while nobody can answer. */
export class Gate {
  #opened = Promise.withResolvers<void>();
  #open = true;

  get passed(): Promise<void> {
    return this.#open ? Promise.resolve() : this.#opened.promise;
  }

  async shutWhile<R>(work: () => Promise<R>): Promise<R> {
    this.#open = false;
    try {
      return await work();
    } finally {
      this.#open = true;
      this.#opened.resolve();
      this.#opened = Promise.withResolvers();
    }
  }
}
