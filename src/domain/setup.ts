import { hours, Refusal } from '../lib/index.ts';
import type { Link, Store } from '../store/index.ts';
import type { Locale } from '../words/index.ts';
import type { Person } from './account-changes.ts';
import type { Accounts } from './accounts.ts';
import type { Letters } from './letters.ts';
import type { Links } from './links.ts';

interface FirstOperator {
  readonly email: string;
  readonly name?: string | undefined;
  readonly password: string;
  readonly locale: Locale;
}

interface Options {
  readonly store: Store;
  readonly accounts: Accounts;
  readonly links: Links;
  readonly letters: Letters;
}

const LIFETIME = hours(24);

/** How the first operator gets in: by a link that is printed where the server is started, while nobody has an account. */
export function createSetup({ store, accounts, links, letters }: Options) {
  const isNobodyHere = async (): Promise<boolean> => (await accounts.list({ limit: 1 })).people.length === 0;

  /** @throws Refusal `link_gone` */
  async function read(secret: string): Promise<Link> {
    const link = await links.read('setup', secret);
    if (await isNobodyHere()) return link;
    throw new Refusal('link_gone', 'somebody has an account here already');
  }

  return {
    /** The address to print; undefined where somebody has an account. Those printed by other processes stay good too. */
    async open(): Promise<string | undefined> {
      if (!(await isNobodyHere())) return undefined;
      const { secret, changes } = await links.issue({ purpose: 'setup', lifetime: LIFETIME, besideOthers: true });
      await store.commit([...changes]);
      return letters.linkTo('setup', secret);
    },

    read,

    /**
     * Makes the first operator. Of any number of tries, with one link or several, one succeeds.
     * @throws Refusal `link_gone`, and as {@link Accounts.add}
     */
    async complete(secret: string, operator: FirstOperator, form?: string): Promise<Person> {
      await read(secret);
      return accounts.add({ ...operator, admin: true }, () => links.spend('setup', secret, form));
    },
  };
}
