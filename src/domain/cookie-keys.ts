import { type Clock, type Duration, newId, newSecret, Refusal, type SealingKey, seal, unseal } from '../lib/index.ts';
import type { Store } from '../store/index.ts';

const PURPOSE = 'cookies';

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly sealingKey: SealingKey;
  readonly rotateAfter: Duration;
  /** The longest life of anything signed with them. */
  readonly verifyFor: Duration;
}

export type CookieKeys = Awaited<ReturnType<typeof openCookieKeys>>;

/**
 * The secrets that sign cookies and forms: the newest signs, the others still verify until nothing they signed is
 * alive. They rotate by age like the keys that sign tokens, without anybody being signed out.
 * @throws Refusal `master_key_mismatch` when the store was sealed under another master key.
 */
export async function openCookieKeys({ store, now, sealingKey, rotateAfter, verifyFor }: Options) {
  let current: readonly string[] = [];

  async function tick(): Promise<void> {
    const { rows } = await store.find('server_secrets', 'all', '', { limit: 1000 });
    const ours = rows
      .filter(({ record }) => record.purpose === PURPOSE)
      .toSorted((a, b) => b.record.usedFrom - a.record.usedFrom);
    const secrets = ours.map((row) => open(row.id, row.record.sealed));
    const newest = ours[0]?.record.usedFrom;
    if (newest === undefined || newest + rotateAfter <= now()) {
      const id = newId('evt');
      const secret = newSecret();
      await store.commit([
        {
          put: 'server_secrets',
          id,
          record: {
            purpose: PURPOSE,
            sealed: seal(sealingKey, `server_secrets/${id}`, secret),
            createdAt: now(),
            usedFrom: now(),
          },
          expiresAt: now() + rotateAfter + verifyFor + rotateAfter,
          expect: 'absent',
        },
      ]);
      secrets.unshift(secret);
    }
    current = secrets;
  }

  function open(id: string, sealed: string): string {
    try {
      return unseal(sealingKey, `server_secrets/${id}`, sealed);
    } catch (cause) {
      throw new Refusal(
        'master_key_mismatch',
        'the data folder was sealed under another master key: put back the keys folder (or POSTERN_MASTER_KEY) that belongs to it',
        { cause },
      );
    }
  }

  await tick();

  return {
    /** The newest first, as Koa's `app.keys` wants them. */
    current: (): readonly string[] => current,
    tick,
  };
}
