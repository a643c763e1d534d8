import { type Clock, newId, Refusal, seconds } from '../lib/index.ts';
import {
  type Account,
  type Change,
  type EmailOwner,
  type Import,
  type Row,
  type Store,
  StoreConflict,
} from '../store/index.ts';
import type { Audit } from './audit.ts';
import { parseEmail } from './email.ts';
import type { FunctionName, Work } from './key-derivation.ts';
import { checkName } from './names.ts';
import type { kept } from './password-formats.ts';

/** Somebody as another system knew them. */
export interface Newcomer {
  /** Where they stand in the file, for whoever reads the refusals. */
  readonly line: number;
  readonly email: string;
  readonly name?: string | undefined;
  readonly emailVerified: boolean;
  readonly disabled: boolean;
  /** As the other system wrote it. */
  readonly passwordHash?: string | undefined;
}

/** Why one of them cannot come. */
export interface RefusedLine {
  readonly line: number;
  readonly reason: string;
}

interface Prepared {
  readonly key: string;
  readonly line: number;
  readonly account: Account;
}

export type Imports = ReturnType<typeof createImports>;

/** People in one commit: two rows each, as many as PostgreSQL takes without keeping others waiting. */
const TOGETHER = 95;
const LEASE = seconds(30);
/** Checked without letting others have a turn; each takes about 20 µs. */
const TURN = 200;

/**
 * People who come from elsewhere with the passwords they had. All of a file or nobody: its people are written in small
 * commits, nobody sees them before the last, and where that never comes the next import takes them out again.
 */
export function createImports({ store, now, audit }: { store: Store; now: Clock; audit: Audit }) {
  /** An address that is reserved by an import that is not done belongs to nobody yet. */
  async function isPending({ importId }: Pick<EmailOwner, 'importId'>): Promise<boolean> {
    const row = importId === undefined ? undefined : await store.get('imports', importId);
    return row !== undefined && row.record.state !== 'done';
  }

  async function all(): Promise<readonly Row<Import>[]> {
    return (await store.find('imports', 'all', '', { limit: 1000 })).rows;
  }

  /** @throws Refusal `import_running` */
  async function undoAbandoned(): Promise<void> {
    for (const row of await all()) {
      if (row.record.state === 'done') continue;
      const left = row.record.leaseUntil - now();
      if (left > 0)
        throw new Refusal(
          'import_running',
          `another import runs, or ended midway: try again in ${Math.ceil(left / 1000)} seconds`,
        );
      await undo(row.id);
    }
  }

  /** Takes everybody out again. Whoever else is at this import fails at its next commit. */
  async function undo(id: string): Promise<void> {
    for (;;) {
      const row = await store.get('imports', id);
      if (!row || row.record.state === 'done') return;
      const { rows } = await store.find('emails', 'importId', id, { limit: TOGETHER });
      const out = rows.flatMap(({ id: key, record }): Change[] => [
        { remove: 'emails', id: key },
        { remove: 'accounts', id: record.accountId },
      ]);
      const record: Import = { ...row.record, state: 'undoing', leaseUntil: now() + LEASE };
      if (out.length > 0) await store.commit([{ put: 'imports', id, record, expect: row.version }, ...out]);
      else return store.commit([{ remove: 'imports', id, expect: row.version }]);
    }
  }

  /** Everybody as they will be kept, or why not; each address once. */
  async function prepare(people: readonly Newcomer[], importId: string) {
    // With every function a hash can have: what only an import needs is loaded with the first.
    const { kept } = await import('./password-formats.ts');
    const prepared: Prepared[] = [];
    const refused: RefusedLine[] = [];
    const work: Partial<Record<FunctionName, number>> = {};
    const lines = new Map<string, number>();
    for (let from = 0; from < people.length; from += TURN) {
      await new Promise(setImmediate);
      const checked: Prepared[] = [];
      for (const newcomer of people.slice(from, from + TURN)) {
        try {
          checked.push(prepareOne(newcomer, { importId, at: now(), lines, work, kept }));
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          refused.push({ line: newcomer.line, reason: error.message });
        }
      }
      const owners = await Promise.all(checked.map(({ key }) => store.get('emails', key)));
      for (const [i, one] of checked.entries()) {
        if (owners[i]) refused.push({ line: one.line, reason: `${one.account.email} belongs to somebody already` });
        else prepared.push(one);
      }
    }
    return { prepared, refused, work };
  }

  async function write(id: string, prepared: readonly Prepared[], work: Work): Promise<void> {
    const row = (state: Import['state']): Import => ({ state, leaseUntil: now() + LEASE, work });
    await store.commit([{ put: 'imports', id, record: row('open'), expect: 'absent' }]);
    /** The last step, and every one before it, happens only while this import is ours. */
    const step = async (state: Import['state'], changes: readonly Change[]): Promise<void> => {
      const current = await store.get('imports', id);
      if (current?.record.state !== 'open') throw new StoreConflict('imports', id);
      await store.commit([{ put: 'imports', id, record: row(state), expect: current.version }, ...changes]);
    };
    for (let from = 0; from < prepared.length; from += TOGETHER)
      await step(
        'open',
        prepared.slice(from, from + TOGETHER).flatMap(({ key, account }): Change[] => {
          const accountId = newId('usr');
          return [
            { put: 'emails', id: key, record: { accountId, importId: id }, expect: 'absent' },
            { put: 'accounts', id: accountId, record: account, expect: 'absent' },
          ];
        }),
      );
    await step('done', [audit.record('accounts.imported', { details: { import: id, people: prepared.length } })]);
  }

  return {
    isPending,

    /** Those of a listing who are there. */
    async present(rows: readonly Row<Account>[]): Promise<readonly Row<Account>[]> {
      if (rows.every(({ record }) => record.importId === undefined)) return rows;
      const pending = new Set((await all()).flatMap(({ id, record }) => (record.state === 'done' ? [] : [id])));
      return rows.filter(({ record }) => !pending.has(record.importId ?? ''));
    },

    /**
     * Lets all of them in, or nobody.
     * @param unread lines nobody could make a person of: with them nobody comes in, and the others are checked.
     * @throws Refusal `import_running`, `import_overtaken`; StoreUnavailable, and then nobody is in
     */
    async run(
      people: readonly Newcomer[],
      unread: readonly RefusedLine[] = [],
    ): Promise<{ imported: number; refused: readonly RefusedLine[] }> {
      await undoAbandoned();
      const id = newId('imp');
      const { prepared, refused: unfit, work } = await prepare(people, id);
      const refused = [...unread, ...unfit];
      if (refused.length > 0) return { imported: 0, refused: refused.toSorted((a, b) => a.line - b.line) };
      if (prepared.length === 0) return { imported: 0, refused };
      try {
        await write(id, prepared, work);
      } catch (cause) {
        // Where the store does not answer now, the next import undoes it.
        await undo(id).catch(() => {});
        if (!(cause instanceof StoreConflict)) throw cause;
        throw new Refusal(
          'import_overtaken',
          'somebody registered one of the addresses at that moment: nobody was imported; run it again',
          { cause },
        );
      }
      return { imported: prepared.length, refused };
    },

    /**
     * What refusing anybody costs, beside a hash of ours, while somebody has an imported hash: as much as looking at the
     * dearest of them, so that time does not tell who is here. Nothing when nobody has one any more.
     */
    async work(): Promise<Work> {
      const most: Partial<Record<FunctionName, number>> = {};
      for (const { id, version, record } of await all()) {
        if (record.state !== 'done') continue;
        const { rows } = await store.find('accounts', 'importId', id, { limit: 1 });
        if (rows.length === 0) await store.commit([{ remove: 'imports', id, expect: version }]).catch(() => {});
        else raise(most, record.work);
      }
      return most;
    },
  };
}

/** @throws Refusal whatever is wrong with them */
function prepareOne(
  { line, email: text, name, emailVerified, disabled, passwordHash }: Newcomer,
  into: {
    readonly importId: string;
    readonly at: number;
    readonly lines: Map<string, number>;
    readonly work: Partial<Record<FunctionName, number>>;
    readonly kept: typeof kept;
  },
): Prepared {
  const { email, key } = parseEmail(text);
  checkName(name);
  const before = into.lines.get(key);
  if (before !== undefined) throw new Refusal('email_taken', `${email} stands in line ${before} already`);
  const found = passwordHash === undefined ? undefined : into.kept(passwordHash);
  into.lines.set(key, line);
  if (found) raise(into.work, { [found.by]: found.work });
  const account: Account = {
    email,
    emailVerified,
    ...(name !== undefined && { name }),
    importId: into.importId,
    ...(found && { passwordHash: found.hash }),
    admin: false,
    disabled,
    epoch: 0,
    createdAt: into.at,
    updatedAt: into.at,
  };
  return { key, line, account };
}

function raise(most: Partial<Record<FunctionName, number>>, work: Work): void {
  for (const [name, units] of Object.entries(work) as [FunctionName, number][])
    most[name] = Math.max(most[name] ?? 0, units);
}
