import { randomBytes } from 'node:crypto';
import type { Change, Store } from '../../../src/store/index.ts';

const random = (bytes: number) => randomBytes(bytes).toString('base64url');

/** What the records of so many sign-ins look like, in size and in number: four tokens in five. */
export async function fill(
  store: Store,
  { records, expiresAt }: { readonly records: number; readonly expiresAt: number },
): Promise<void> {
  for (let made = 0; made < records; ) {
    const changes: Change[] = [];
    for (; changes.length < 1000 && made < records; made += 5) {
      const owner = { grantId: random(32), accountId: `usr_${random(16)}`, clientId: `cli_${random(16)}` };
      const row = <T extends string>(put: T, sealed: number) =>
        ({ put, id: random(32), expiresAt, record: { sealed: random(sealed), ...owner } }) as const;
      changes.push(row('access_tokens', 320), row('access_tokens', 320), row('refresh_tokens', 420));
      changes.push(row('refresh_tokens', 420), row('grants', 240));
    }
    await store.commit(changes);
  }
}
