/** What must be true of the rows that a stopped server left, whatever happened to it: nothing half done, nothing done twice. */
import { join } from 'node:path';
import { silent } from '../../src/lib/index.ts';
import { openFileStore } from '../../src/store/file/index.ts';
import type { Artifact, Row, Store, TableName } from '../../src/store/index.ts';
import { openPostgresStore } from '../../src/store/postgres/index.ts';
import type { Finding } from './part.ts';
import type { Stage } from './set-ups.ts';

/** The store of a set-up whose servers are stopped. */
export const openKept = ({ folder, env, database }: Pick<Stage, 'folder' | 'env' | 'database'>): Promise<Store> =>
  database
    ? openPostgresStore({ url: database.url, now: Date.now, log: silent })
    : openFileStore({
        folder: env['POSTERN_DATA'] ?? join(folder, 'data'),
        clock: () => Date.now,
        log: silent,
        pid: process.pid,
      });

/** Kills every server, looks at the rows, and starts as many again. */
export async function leftBehind(stage: Stage): Promise<Finding> {
  const running = [...stage.servers];
  for (const server of running) await server.kill();
  const store = await openKept(stage);
  try {
    const faults = await faultsIn(store);
    const { refresh_tokens, access_tokens } = (await store.stats()).rows;
    return {
      fact: 'rows left behind',
      figure: `${refresh_tokens + access_tokens} tokens: ${faults.length} half done or issued twice`,
      held: faults.length === 0,
      detail: faults.slice(0, 20).join('\n'),
    };
  } finally {
    await store.close();
    for (const _ of running) await stage.start();
  }
}

type Kept = readonly Row<Artifact>[];

/** What is wrong, one sentence each; nothing when all is well. */
async function faultsIn(store: Store): Promise<string[]> {
  const codes = await everyRow(store, 'authorization_codes');
  const accesses = await everyRow(store, 'access_tokens');
  const refreshes = await everyRow(store, 'refresh_tokens');
  const grants = new Set((await everyRow(store, 'grants')).map(({ record }) => record.grantId));
  const byId = new Map(refreshes.map((row) => [row.id, row]));
  const faults: string[] = [];

  for (const { id, record } of refreshes) {
    if (record.consumedAt === undefined) continue;
    if (record.successor === undefined) faults.push(`${id} is used and has no successor`);
    else if (byId.get(record.successor)?.record.grantId !== record.grantId)
      faults.push(`the successor of ${id} is gone`);
  }
  const successors = refreshes.flatMap(({ record }) => record.successor ?? []);
  if (new Set(successors).size < successors.length) faults.push('two tokens have one successor');

  for (const [grantId, chain] of Map.groupBy(refreshes, ({ record }) => record.grantId)) {
    // It has ended, and with it whatever is left of it: a process that dies meanwhile leaves rows that open nothing.
    if (!grants.has(grantId)) continue;
    // Revoked, which takes the code away, by somebody who was never told so.
    if (!codes.some(({ record }) => record.grantId === grantId)) continue;
    const of = (rows: Kept) => rows.filter(({ record }) => record.grantId === grantId).length;
    const firsts = chain.filter(({ id }) => !successors.includes(id)).length;
    const used = of(codes.filter(({ record }) => record.consumedAt !== undefined));
    if (firsts !== used) faults.push(`${used} used codes of a grant began ${firsts} chains of tokens`);
    if (of(accesses) !== chain.length)
      faults.push(`${of(accesses)} access tokens of a grant beside ${chain.length} refresh tokens`);
  }
  return faults;
}

async function everyRow(
  store: Store,
  table: TableName & ('authorization_codes' | 'access_tokens' | 'refresh_tokens' | 'grants'),
) {
  const rows: Row<Artifact>[] = [];
  for (let after: string | undefined, more = true; more; ) {
    const page = await store.find(table, 'all', '', { limit: 1000, ...(after && { after }) });
    rows.push(...page.rows);
    after = page.next;
    more = after !== undefined;
  }
  return rows;
}
