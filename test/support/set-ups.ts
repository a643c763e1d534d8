import { type Postern, startPostern } from './postern.ts';
import type { DatabaseServer } from './postgres.ts';

type Start = (databases: DatabaseServer) => Promise<readonly [Postern, ...Postern[]]>;

/** One server on the file store; two on one database behind one address, each with connections and caches of its own. */
export const SET_UPS: Readonly<Record<'the file store' | 'PostgreSQL, two servers', Start>> = {
  'the file store': async () => [await startPostern()],
  'PostgreSQL, two servers': async (databases) => {
    const { url } = await databases.create();
    const first = await startPostern({ env: { POSTERN_DATABASE_URL: url } });
    // The same keys and the same name; a port of its own.
    const env = { POSTERN_DATABASE_URL: url, POSTERN_ISSUER: first.issuer, POSTERN_KEYS: `${first.folder}/keys` };
    return [first, await startPostern({ env })];
  },
};
