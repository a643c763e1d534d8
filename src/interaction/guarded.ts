import type { Context } from 'koa';
import { stateOf } from '../http/index.ts';
import { Refusal } from '../lib/index.ts';
import type { Interacting } from './context.ts';

/** What to tell whoever tried, and the status to tell it with. */
export interface Refused {
  readonly error: 'wrong' | 'passkey' | 'busy' | { readonly tooMany: number };
  readonly status: number;
}

interface Won<R> {
  readonly won: R;
  /** Call it once it is known whether that was the last thing that was missing. */
  settle(signedIn: boolean): Promise<void>;
}

export const WRONG: Refused = { error: 'wrong', status: 400 };
export const WRONG_PASSKEY: Refused = { error: 'passkey', status: 400 };

/**
 * Lets somebody try something that could be guessed at: reserves the guess before, and tells the counter after. Every form
 * that takes a password or a code comes by here, so that none is a way round another's limit.
 * @param attempt gives undefined where it was wrong
 */
export async function guarded<R>(
  ctx: Context,
  { domain, device, metrics }: Interacting,
  about: { readonly email: string; readonly secondFactor?: boolean },
  attempt: () => Promise<R | undefined>,
): Promise<Won<R> | Refused> {
  const verdict = await domain.guesses.begin({
    ...about,
    address: stateOf(ctx).address ?? '',
    device: device.id(ctx),
  });
  if (!verdict.allowed) {
    metrics.signIn('limited');
    ctx.set('Retry-After', String(verdict.retryAfter));
    return { error: { tooMany: Math.ceil(verdict.retryAfter / 60) }, status: 429 };
  }
  try {
    const won = await attempt();
    if (won === undefined) {
      metrics.signIn('wrong');
      return WRONG;
    }
    return {
      won,
      async settle(signedIn) {
        await (signedIn ? verdict.succeed() : verdict.release());
        if (signedIn) metrics.signIn('succeeded');
      },
    };
  } catch (error) {
    await verdict.release();
    if (!(error instanceof Refusal) || error.code !== 'busy') throw error;
    ctx.set('Retry-After', '1');
    return { error: 'busy', status: 503 };
  }
}

/** The same end for what nobody can guess at, and nobody is kept from: a passkey. */
export async function trusted(
  ctx: Context,
  { domain, device, metrics }: Interacting,
  { email }: { readonly email: string },
  signedIn: boolean,
): Promise<void> {
  if (!signedIn) return;
  await domain.guesses.trust({ email, device: device.id(ctx) });
  metrics.signIn('succeeded');
}
