import { sha256 } from '../lib/index.ts';
import type { Grounds } from './grounds.ts';
import type { Maker } from './way.ts';

/** What was answered, and would be again. */
export interface Lasting {
  readonly clientId: string;
  /** The answer's text, or what makes it anew each time. */
  readonly answer: string | Maker;
  readonly grounds: Grounds;
}

/** About two kilobytes each. */
const MOST = 2_000;

/**
 * What was decided, by everything that was asked, the proof of who asks included. Nothing of it is believed: whoever answers
 * so again looks whether its grounds still stand.
 */
export class Remembered {
  #answers = new Map<string, Lasting>();

  /** Of a digest: what is asked has secrets in it. No header has a line's end in it, so no two questions read the same. */
  question(authorization: string | undefined, body: string) {
    const answers = this.#answers;
    const key = sha256(`${authorization === undefined ? 'nobody' : `by ${authorization}`}\n${body}`);
    return {
      known: answers.get(key),
      // Into what was there when it was asked: what is forgotten meanwhile does not come back.
      remember(lasting: Lasting): void {
        if (answers.size >= MOST) answers.clear();
        answers.set(key, lasting);
      },
    };
  }

  /** What no grounds tell of has changed. */
  forget(): void {
    this.#answers = new Map();
  }
}
