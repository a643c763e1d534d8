import { errors } from 'oidc-provider';
import { type Clock, days, inSeconds, minutes } from '../lib/index.ts';

/** Each assertion is remembered until it expires, so one may not live as long as its client likes (RFC 7523 §3). */
const LONGEST = days(1);
/** How far ahead of ours a client's clock may be. */
const AHEAD = minutes(1);

interface Options {
  readonly now: Clock;
  /** When the store was restored from a backup, if ever: which assertions were seen before then, nobody knows. */
  readonly restoredAt: number | undefined;
}

/** What an assertion must be beyond being valid (`assertJwtClientAuthClaimsAndHeader`): one that cannot be used twice. */
export const assertionRules =
  ({ now, restoredAt }: Options) =>
  async (_ctx: unknown, { exp, iat }: { exp?: unknown; iat?: unknown }): Promise<void> => {
    const refuse = (why: string): never => {
      throw new errors.InvalidClientAuth(`the client assertion ${why}`);
    };
    // The client's clock is the wall's, which is ahead of ours while a machine that slept has not believed it yet.
    const at = Math.max(now(), Date.now());
    if (typeof exp !== 'number' || exp > inSeconds(at + LONGEST)) refuse('lives longer than a day');
    if (typeof iat === 'number' && iat > inSeconds(at + AHEAD)) refuse('was issued in the future');
    // Later than that, nothing that was used before the restore is alive.
    if (restoredAt === undefined || now() > restoredAt + LONGEST + AHEAD) return;
    if (typeof iat !== 'number' || iat <= inSeconds(restoredAt + AHEAD))
      refuse('may have been used before the server was restored from a backup: make a new one, with the claim iat');
  };
