import { isDeepStrictEqual } from 'node:util';
import type { Account, AloneStore, Batch, Client, Consent, Factor, Identity, TableName } from '../store/index.ts';

/** Some names, and how many there are in all. */
interface Listed {
  total: number;
  readonly first: string[];
}

/** What a restore undoes, by the words of {@link DIFFERENCES}. */
export type Differences = Readonly<Record<keyof typeof DIFFERENCES, Listed>>;

/** In the order of how much harm they do. */
export const DIFFERENCES = {
  people_enabled_again: 'disabled since the backup, and enabled again',
  people_admin_again: 'no operators since, and operators again',
  people_back: 'removed since, and back',
  passwords_back: 'have the password again that they had then',
  clients_back: 'applications removed since, and back',
  client_secrets_back: 'applications whose secret or keys were changed since: the old ones are good again',
  clients_changed: 'applications changed since, and as they were then',
  resources_changed: 'APIs changed since, and as they were then',
  factors_back: 'second factors removed since, and back',
  upstreams_back: 'upstream providers removed since, and back',
  identities_back: 'upstream identities unlinked since, and back',
  consents_back: 'consents withdrawn since, and back',
  people_gone: 'people added since, and gone',
  clients_gone: 'applications added since, and gone',
} as const;

/** Names in the report; the numbers are complete. */
const LISTED = 100;

const NAMES = {
  accounts: (_, { email }: Account) => email,
  clients: (id, { name }: Client) => `${name} (${id})`,
  resources: (id) => id,
  upstreams: (id) => id,
  factors: (_, { kind, accountId }: Factor) => `${kind} of ${accountId}`,
  identities: (_, { upstream, accountId }: Identity) => `${upstream} of ${accountId}`,
  consents: (_, { accountId, clientId }: Consent) => `${accountId} at ${clientId}`,
} satisfies Partial<Record<TableName, (id: string, record: never) => string>>;

type Compared = keyof typeof NAMES;

/** No API among them: no application could ask for it when it was removed. */
const BACK: Readonly<Partial<Record<Compared, keyof Differences>>> = {
  accounts: 'people_back',
  clients: 'clients_back',
  upstreams: 'upstreams_back',
  factors: 'factors_back',
  identities: 'identities_back',
  consents: 'consents_back',
};

/** What is in a store now against what a backup puts in its place. */
export async function differencesOf(present: AloneStore, coming: AsyncIterable<Batch>): Promise<Differences> {
  const found = Object.fromEntries(
    Object.keys(DIFFERENCES).map((name) => [name, { total: 0, first: [] }]),
  ) as unknown as Differences;
  const stays = { accounts: 0, clients: 0 };
  const list = (what: keyof Differences, name: string): void => {
    found[what].total += 1;
    if (found[what].first.length < LISTED) found[what].first.push(name);
  };
  for await (const batch of coming) {
    for (const table of Object.keys(NAMES) as Compared[]) {
      const rows = batch.filter((row) => row.table === table);
      if (rows.length === 0) continue;
      const known = await present.lookup(
        table,
        rows.map(({ id }) => id),
      );
      for (const { id, json } of rows) {
        const then = JSON.parse(json) as never;
        const name = (NAMES[table] as (id: string, record: unknown) => string)(id, then);
        const before = known.get(id);
        const back = BACK[table];
        if (before === undefined) {
          if (back) list(back, name);
        } else if (table === 'accounts') person(JSON.parse(before), then, name);
        else if (table === 'clients') client(JSON.parse(before), then, name);
        else if (table === 'resources' && !isDeepStrictEqual(JSON.parse(before), then)) list('resources_changed', name);
      }
    }
  }
  const counts = await present.counts();
  found.people_gone.total = counts.accounts - stays.accounts;
  found.clients_gone.total = counts.clients - stays.clients;
  return found;

  function person(now: Account, then: Account, name: string): void {
    stays.accounts += 1;
    if (now.disabled && !then.disabled) list('people_enabled_again', name);
    if (!now.admin && then.admin) list('people_admin_again', name);
    if (now.passwordHash !== then.passwordHash) list('passwords_back', name);
  }

  function client(now: Client, then: Client, name: string): void {
    stays.clients += 1;
    // The newest of them: an old one may be kept beside it, for a time.
    const [secret] = then.secretHashes;
    const secretBack = secret !== undefined && secret !== now.secretHashes[0];
    if (secretBack || keysBack(now, then)) list('client_secrets_back', name);
    else if (now.updatedAt !== then.updatedAt) list('clients_changed', name);
  }
}

const keysBack = ({ jwks: now }: Client, { jwks: then }: Client): boolean =>
  (then?.keys ?? []).some((key) => !now?.keys.some((each) => isDeepStrictEqual(each, key)));
