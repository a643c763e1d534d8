import type { Settings } from '../config/index.ts';
import { days, inSeconds, minutes } from '../lib/index.ts';

export type Lifetimes = ReturnType<typeof lifetimesOf>;

/** How long what the engine keeps of a sign-in is good for, in seconds. */
export const lifetimesOf = ({ tokens, sessions }: Pick<Settings, 'tokens' | 'sessions'>) => ({
  code: inSeconds(tokens.code),
  /** Somebody has to find a browser, and sign in there. */
  device: inSeconds(minutes(15)),
  session: inSeconds(sessions.lifetime),
  /** A grant outlives every refresh token issued under it. */
  grant: inSeconds(tokens.refresh_absolute + days(1)),
});
