import type { Account, Row, Store } from '../store/index.ts';
import { type Person, personOf } from './account-changes.ts';
import { emailKey } from './email.ts';
import { every } from './every.ts';
import type { Imports } from './imports.ts';
import { plainly } from './names.ts';

/** What is looked for, and how far. */
interface Search {
  /** The `next` of the page before. */
  readonly after?: string | undefined;
  /** People in a page at most. */
  readonly limit: number;
  /** People who are looked through for them at most. */
  readonly most?: number | undefined;
}

interface Options {
  readonly store: Store;
  readonly imports: Imports;
}

/** Each takes some 5 µs, in either store: a tenth of a second, in which others have their turns. */
const LOOKED_THROUGH = 20_000;
/** What is read at a time. */
const READ = 500;

/** Finding people by what is known of them. */
export function createDirectory({ store, imports }: Options) {
  return {
    /** Those whose address begins so, in its order; at most so many. */
    async startingWith(text: string, most: number): Promise<readonly Person[]> {
      const start = emailKey(text);
      const exact = await store.get('emails', start);
      const { rows } = await store.find('emails', 'all', '', { after: start, limit: most });
      const people: Person[] = [];
      for (const { id, record } of exact ? [exact, ...rows] : rows) {
        if (!id.startsWith(start) || people.length === most) break;
        const row = (await imports.isPending(record)) ? undefined : await store.get('accounts', record.accountId);
        if (row) people.push(personOf(row));
      }
      return people;
    },

    /**
     * A page of those who have the text in their name or address, however it is written, and whoever has it as their id; in the
     * order of their ids. Where more were looked through than `most`, it holds fewer than `limit`, or nobody; `next` is where it
     * goes on, and stands in every page but the last.
     */
    async matching(text: string, { after, limit, most = LOOKED_THROUGH }: Search) {
      const [inName, inAddress] = [plainly(text).trim(), emailKey(text)];
      const found: Row<Account>[] = [];
      let [read, next] = [0, ''];
      const told = async () => (await imports.present(found)).map(personOf);
      for await (const row of every(store, 'accounts', 'all', '', { limit: READ, ...(after && { after }) })) {
        if (found.length === limit || read === most) return { people: await told(), next };
        const { name = '', email } = row.record;
        if (row.id === text || plainly(name).includes(inName) || emailKey(email).includes(inAddress)) found.push(row);
        read += 1;
        next = row.id;
      }
      return { people: await told() };
    },
  };
}
