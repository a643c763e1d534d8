import { sha256 } from '../lib/index.ts';
import type { Grounds } from './grounds.ts';

/** An answer that was given, and would be given again. */
export interface Lasting {
  readonly clientId: string;
  readonly text: string;
  readonly grounds: Grounds;
}

/** About two kilobytes each. */
const MOST = 2_000;

/**
 * Answers by everything that was asked, the proof of who asks included. None is believed: whoever gives one again looks
 * whether its grounds still stand.
 */
export class Remembered {
  #answers = new Map<string, Lasting>();

  /** Of digests: what is asked has secrets in it. */
  question(authorization: string | undefined, body: Buffer) {
    const answers = this.#answers;
    const key = sha256(body) + (authorization === undefined ? '' : sha256(authorization));
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
