import { isLoopback } from '../config/index.ts';
import { type Clock, Refusal, type SealingKey, seal, unseal } from '../lib/index.ts';
import { type Change, type Row, type Store, StoreConflict, type Upstream } from '../store/index.ts';
import { type Audit, changedIn } from './audit.ts';
import { COMMIT_SIZE, commitAll, every } from './every.ts';
import { checkName } from './names.ts';
import { retryOnConflict } from './retry.ts';
import { parseScopes } from './scopes.ts';

/** A provider with its id, which is the last but one part of its callback's path. */
export type RegisteredUpstream = Upstream & { readonly id: string };

/** What an operator decides about an upstream and may change later. */
interface UpstreamTerms {
  readonly name: string;
  readonly clientId: string;
  /** None for a client that has none (`token_endpoint_auth_method: none`). */
  readonly clientSecret?: string | undefined;
  readonly scopes: readonly string[];
  readonly trustsEmail?: boolean | undefined;
  readonly signsUp?: boolean | undefined;
}

/** The kind and the issuer say who a subject is, so they stay what they are. */
type NewUpstream = UpstreamTerms & { readonly id: string; readonly kind: string; readonly issuer: string };

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly audit: Audit;
  readonly sealingKey: SealingKey;
  /** Of this server. */
  readonly issuer: string;
}

const ID = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
const LONGEST_NAME = 60;
/** RFC 6749 §A.1, §A.2, but for a space at an end: that was never meant. */
const CREDENTIAL = /^(?! )[\x20-\x7E]{1,2000}(?<! )$/;

/** Where one is added at `/admin`: no provider's page can be there. */
const NO_ID = 'new';
/** So many links are counted. */
const COUNTED = 1000;

const registered = ({ id, record }: Row<Upstream>): RegisteredUpstream => ({ id, ...record });

/** The providers people may sign in with, as the operator registered them. */
export async function openUpstreams({ store, now, audit, sealingKey, issuer: here }: Options) {
  let known: readonly RegisteredUpstream[] = [];

  /** Reads them anew: somebody changed them. */
  async function refresh(): Promise<void> {
    const all = await Array.fromAsync(every(store, 'upstreams', 'all', ''), registered);
    known = all.toSorted((a, b) => a.createdAt - b.createdAt);
  }

  async function existing(id: string): Promise<Row<Upstream>> {
    const row = await store.get('upstreams', id);
    if (!row) throw new Refusal('upstream_unknown', `there is no upstream ${JSON.stringify(id.slice(0, 80))}`);
    return row;
  }

  /** Everything in a record that the terms decide. */
  function settle(id: string, terms: UpstreamTerms) {
    const { name, clientId, clientSecret, trustsEmail = false, signsUp = false } = terms;
    checkName(name, LONGEST_NAME);
    if (!CREDENTIAL.test(clientId))
      throw new Refusal('client_id_invalid', 'the client id has 1 to 2000 characters of ASCII, no space at its ends');
    if (clientSecret !== undefined && !CREDENTIAL.test(clientSecret))
      throw new Refusal(
        'client_secret_invalid',
        'the client secret has 1 to 2000 characters of ASCII, no space at its ends',
      );
    return {
      name,
      clientId,
      ...(clientSecret !== undefined && { sealedSecret: seal(sealingKey, labelOf(id), clientSecret) }),
      scopes: parseScopes(terms.scopes),
      trustsEmail,
      signsUp,
    };
  }

  const callbackOf = (id: string): string => `${here}/upstream/${id}/callback`;

  await refresh();

  return {
    refresh,

    /** All of them, in the order in which they were added: what the sign-in page shows. */
    list: (): readonly RegisteredUpstream[] => known,

    async get(id: string): Promise<RegisteredUpstream | undefined> {
      const row = await store.get('upstreams', id);
      return row && registered(row);
    },

    /** Where it sends people back to: what the operator registers there. */
    callbackOf,

    /** How many people are linked to it; of very many `more` than are counted. */
    async links(id: string): Promise<{ readonly n: number; readonly more: boolean }> {
      const { rows, next } = await store.find('identities', 'upstream', id, { limit: COUNTED });
      return { n: rows.length, more: next !== undefined };
    },

    /** What it takes to talk to it. */
    providerOf: ({ id, kind, issuer, clientId, sealedSecret, scopes }: RegisteredUpstream) => ({
      id,
      kind,
      issuer,
      clientId,
      ...(sealedSecret !== undefined && { clientSecret: unseal(sealingKey, labelOf(id), sealedSecret) }),
      scopes,
      redirectUri: callbackOf(id),
    }),

    /**
     * @throws Refusal `upstream_invalid`, `upstream_exists`, `issuer_invalid`, `name_invalid`, `client_id_invalid`,
     * `client_secret_invalid`, `scope_invalid`
     */
    async add({ id, kind, issuer, ...terms }: NewUpstream): Promise<RegisteredUpstream> {
      if (!ID.test(id) || id === NO_ID)
        throw new Refusal(
          'upstream_invalid',
          `the id of an upstream has 1 to 32 of a-z, 0-9 and -, such as google, and is not ${NO_ID}`,
        );
      checkIssuer(issuer);
      const record: Upstream = { ...settle(id, terms), kind, issuer, createdAt: now(), updatedAt: now() };
      try {
        await store.commit([
          { put: 'upstreams', id, record, expect: 'absent' },
          audit.record('upstream.added', { details: { upstream: id, kind, issuer } }),
        ]);
      } catch (error) {
        if (!(error instanceof StoreConflict)) throw error;
        throw new Refusal('upstream_exists', `there is an upstream ${id} already: remove it, or take another id`);
      }
      await refresh();
      return { id, ...record };
    },

    /** What is not named stays as it is. @throws Refusal as {@link add}, `upstream_unknown` */
    async update(id: string, patch: Partial<UpstreamTerms>): Promise<RegisteredUpstream> {
      const updated = await retryOnConflict(async () => {
        const { record: before, version } = await existing(id);
        const named = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
        const record: Upstream = { ...before, ...settle(id, { ...before, ...named }), updatedAt: now() };
        await store.commit([
          { put: 'upstreams', id, record, expect: version },
          audit.record('upstream.updated', { details: { upstream: id, ...changedIn(told(before), told(record)) } }),
        ]);
        return { id, ...record };
      });
      await refresh();
      return updated;
    },

    /**
     * Takes every link to it as well: were its name given to another provider, that one's subjects are other people.
     * Gives the number of links.
     * @throws Refusal `upstream_unknown`
     */
    async remove(id: string): Promise<number> {
      const { version } = await existing(id);
      const links = () =>
        Array.fromAsync(
          every(store, 'identities', 'upstream', id),
          (row): Change => ({ remove: 'identities', id: row.id }),
        );
      // In one commit, as many as it holds. Of more, nobody is let in by one that a crash leaves.
      const first = (await links()).slice(0, COMMIT_SIZE);
      await store.commit([
        { remove: 'upstreams', id, expect: version },
        audit.record('upstream.removed', { details: { upstream: id } }),
        ...first,
      ]);
      await refresh();
      const rest = await links();
      await commitAll(store, rest);
      return first.length + rest.length;
    },
  };
}

/** What an operator may change, by the names it has in JSON. */
const told = ({ name, clientId, sealedSecret, scopes, trustsEmail, signsUp }: Upstream) => ({
  name,
  clientId,
  clientSecret: sealedSecret,
  scopes,
  trustEmail: trustsEmail,
  signUp: signsUp,
});

const labelOf = (id: string): string => `upstreams/${id}`;

/** @throws Refusal `issuer_invalid` */
function checkIssuer(issuer: string): void {
  const url = URL.parse(issuer);
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url));
  if (!url || !secure || url.search || url.hash || url.username || issuer.length > 500)
    throw new Refusal(
      'issuer_invalid',
      `${JSON.stringify(issuer.slice(0, 200))} must be an https URL without query and fragment, as the provider's discovery document writes it`,
    );
}
