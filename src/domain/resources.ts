import { type Clock, type Duration, days, inSeconds, minutes, Refusal, seconds } from '../lib/index.ts';
import { type Page, type Resource, type Row, type SigningKey, type Store, StoreConflict } from '../store/index.ts';
import { type Audit, changedIn } from './audit.ts';
import { every } from './every.ts';
import { checkName } from './names.ts';
import { retryOnConflict } from './retry.ts';
import { parseScopes } from './scopes.ts';

/** An API that tokens can be asked for. */
export type RegisteredResource = Resource & { readonly uri: string };

/** What an operator decides about an API and may change later. */
interface ResourceTerms {
  /** What people see; null is its host. */
  readonly name?: string | null | undefined;
  readonly scopes?: readonly string[] | undefined;
  /** Null is the setting `tokens.access`. */
  readonly ttl?: Duration | null | undefined;
  readonly revocable?: boolean | undefined;
  /** RS256 unless said. */
  readonly alg?: SigningKey['alg'] | undefined;
}

type NewResource = ResourceTerms & { readonly uri: string };

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly audit: Audit;
  readonly issuer: string;
}

/** With a URL of a scheme and no fragment: what the engine takes for a resource (RFC 8707 §2), so that nobody asks again. */
const CHARACTERS = /^[a-zA-Z][\w+.-]*:[\w\-.~:/?[\]@!$&'()*+,;=%]+$/;
const TTL = { min: seconds(30), max: days(1) };
/** No access token lives longer. */
export const LONGEST_TTL: Duration = TTL.max;

const registered = ({ id, record }: Row<Resource>): RegisteredResource => ({ uri: id, ...record });

/** APIs by their URI, which is the audience of their tokens (RFC 8707). */
export function createResources({ store, now, audit, issuer }: Options) {
  /** @throws Refusal `resource_invalid` */
  function checkUri(uri: string): void {
    const url = URL.parse(uri);
    if (!url || !CHARACTERS.test(uri) || uri.length > 500)
      throw new Refusal(
        'resource_invalid',
        `${JSON.stringify(uri.slice(0, 200))} must be an absolute URI without a fragment, such as https://api.example.com (RFC 8707 §2)`,
      );
    // Refresh tokens have the issuer as their audience, so that no API takes one for an access token.
    if (url.href.replace(/\/+$/, '') === issuer)
      throw new Refusal('resource_invalid', `${uri} is this server itself: an API needs a URI of its own`);
  }

  /** An RS256 key always signs; of another algorithm, whoever checks tokens has to know one first. @throws Refusal `alg_unavailable` */
  async function checkAlg(alg: SigningKey['alg'] = 'RS256'): Promise<void> {
    if (alg === 'RS256') return;
    const { rows } = await store.find('signing_keys', 'all', '', { limit: 1000 });
    const keys = rows.filter(({ record }) => record.alg === alg);
    if (keys.some(({ record }) => record.signsFrom <= now())) return;
    const [coming] = keys;
    throw new Refusal(
      'alg_unavailable',
      coming
        ? `the first ${alg} key signs from ${new Date(coming.record.signsFrom).toISOString()}: try again then`
        : `there is no ${alg} key: \`postern keys rotate --alg ${alg}\` publishes one, which signs a little later`,
    );
  }

  async function existing(uri: string): Promise<Row<Resource>> {
    const row = await store.get('resources', uri);
    if (!row) throw new Refusal('resource_unknown', `there is no resource ${JSON.stringify(uri.slice(0, 200))}`);
    return row;
  }

  return {
    /** @throws Refusal `resource_invalid`, `resource_exists`, `scope_invalid`, `ttl_invalid`, `name_invalid`, `alg_unavailable` */
    async add({ uri, ...terms }: NewResource): Promise<RegisteredResource> {
      checkUri(uri);
      await checkAlg(terms.alg);
      const record: Resource = { ...settle(terms), createdAt: now() };
      try {
        await store.commit([
          { put: 'resources', id: uri, record, expect: 'absent' },
          audit.record('resource.added', { details: { uri } }),
        ]);
      } catch (error) {
        if (error instanceof StoreConflict)
          throw new Refusal('resource_exists', `${uri} is registered already: postern resource update changes it`);
        throw error;
      }
      return { uri, ...record };
    },

    /**
     * What is not named stays as it is. It holds for tokens from now on: those that were issued say what they said until they
     * expire, and refresh tokens go on with the scopes that are left.
     * @throws Refusal `resource_unknown`, `scope_invalid`, `ttl_invalid`, `name_invalid`, `alg_unavailable`
     */
    update(uri: string, patch: ResourceTerms): Promise<RegisteredResource> {
      return retryOnConflict(async () => {
        const { record: before, version } = await existing(uri);
        const named = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
        await checkAlg(patch.alg);
        const record: Resource = { ...settle({ ...before, ...named }), createdAt: before.createdAt };
        await store.commit([
          { put: 'resources', id: uri, record, expect: version },
          audit.record('resource.updated', { details: { uri, ...changedIn(before, record) } }),
        ]);
        return { uri, ...record };
      });
    },

    async get(uri: string): Promise<RegisteredResource | undefined> {
      const row = await store.get('resources', uri);
      return row && registered(row);
    },

    /** What people are told it is: its name, else its host, or all of a URI that has none, such as a `urn:`. */
    async nameOf(uri: string): Promise<string> {
      const row = await store.get('resources', uri);
      return row?.record.name ?? (URL.parse(uri)?.host || uri);
    },

    /** In the order of their URIs. */
    async list(page?: Page): Promise<{ resources: readonly RegisteredResource[]; next?: string }> {
      const { rows, next } = await store.find('resources', 'all', '', page);
      return { resources: rows.map(registered), ...(next && { next }) };
    },

    /** @throws Refusal `resource_unknown`; `resource_in_use` while a client may ask for it */
    remove(uri: string): Promise<void> {
      return retryOnConflict(async () => {
        const { version } = await existing(uri);
        for await (const { id, record } of every(store, 'clients', 'all', ''))
          if (record.resources.includes(uri))
            throw new Refusal('resource_in_use', `${id} (${record.name}) may ask for ${uri}: change that client first`);
        await store.commit([
          { remove: 'resources', id: uri, expect: version },
          audit.record('resource.removed', { details: { uri } }),
        ]);
      });
    },
  };
}

/** Everything in a record that the terms decide. @throws Refusal `scope_invalid`, `ttl_invalid`, `name_invalid` */
function settle({ name, scopes = [], ttl, revocable = false, alg = 'RS256' }: ResourceTerms) {
  if (typeof name === 'string') checkName(name);
  if (typeof ttl === 'number' && !(ttl >= TTL.min && ttl <= TTL.max))
    throw new Refusal(
      'ttl_invalid',
      `a token lives from ${inSeconds(TTL.min)} seconds to ${TTL.max / minutes(60)} hours`,
    );
  return {
    ...(typeof name === 'string' && { name }),
    scopes: parseScopes(scopes),
    ...(typeof ttl === 'number' && { ttl }),
    revocable,
    ...(alg !== 'RS256' && { alg }),
  };
}
