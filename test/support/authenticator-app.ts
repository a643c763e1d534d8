import { Secret, TOTP } from 'otpauth';
import { seconds } from '../../src/lib/index.ts';
import type { Answer } from './user-agent.ts';

const STEP = seconds(30);

/** An authenticator app on a phone whose clock is the server's. It never shows one code twice. */
export class AuthenticatorApp {
  readonly secret: string;
  readonly #now: () => number;
  #last = 0;

  constructor(secret: string, now: () => number = Date.now) {
    this.secret = secret;
    this.#now = now;
  }

  /** Scans what an enrolment page shows. */
  static scan({ html }: Answer): AuthenticatorApp {
    const key = /class="key"><code>([^<]+)</.exec(html)?.[1];
    if (!key) throw new Error('the page shows no key');
    return new AuthenticatorApp(key.replaceAll(' ', ''));
  }

  /** The code of this moment, or of so many steps later. */
  code(later = 0): string {
    return new TOTP({ secret: Secret.fromBase32(this.secret) }).generate({ timestamp: this.#now() + later * STEP });
  }

  /**
   * A code that was not given before: of now, then of the next step, which is as far ahead as a server takes. Both are good
   * for half a minute at least, however slow the machine is.
   */
  fresh(): string {
    const now = Math.floor(this.#now() / STEP);
    this.#last = Math.max(now, this.#last + 1);
    return new TOTP({ secret: Secret.fromBase32(this.secret) }).generate({ timestamp: this.#last * STEP });
  }
}
