import { type Clock, type Duration, days, inSeconds, minutes, Refusal, seconds } from '../lib/index.ts';
import { type Page, type Resource, type Row, type SigningKey, type Store, StoreConflict } from '../store/index.ts';
import type { Audit } from './audit.ts';
import { every } from './every.ts';
import { parseScopes } from './scopes.ts';

/** An API that tokens can be asked for. */
export type RegisteredResource = Resource & { readonly uri: string };

export interface NewResource {
  readonly uri: string;
  readonly name?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly ttl?: Duration | undefined;
  readonly revocable?: boolean | undefined;
  /** RS256 unless said. */
  readonly alg?: SigningKey['alg'] | undefined;
}

export type Resources = ReturnType<typeof createResources>;

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly audit: Audit;
  readonly issuer: string;
}

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
  async function checkAlg(alg: SigningKey['alg']): Promise<void> {
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

  return {
    /** @throws Refusal `resource_invalid`, `resource_exists`, `scope_invalid`, `ttl_invalid`, `name_invalid`, `alg_unavailable` */
    async add({
      uri,
      name,
      scopes = [],
      ttl,
      revocable = false,
      alg = 'RS256',
    }: NewResource): Promise<RegisteredResource> {
      checkUri(uri);
      if (name !== undefined && !/^\P{C}{1,200}$/u.test(name))
        throw new Refusal('name_invalid', 'a name has 1 to 200 characters, none of them invisible');
      if (ttl !== undefined && !(ttl >= TTL.min && ttl <= TTL.max))
        throw new Refusal(
          'ttl_invalid',
          `a token lives from ${inSeconds(TTL.min)} seconds to ${TTL.max / minutes(60)} hours`,
        );
      await checkAlg(alg);
      const record: Resource = {
        ...(name !== undefined && { name }),
        scopes: parseScopes(scopes),
        ...(ttl !== undefined && { ttl }),
        revocable,
        ...(alg !== 'RS256' && { alg }),
        createdAt: now(),
      };
      try {
        await store.commit([
          { put: 'resources', id: uri, record, expect: 'absent' },
          audit.record('resource.added', { details: { uri } }),
        ]);
      } catch (error) {
        if (error instanceof StoreConflict) throw new Refusal('resource_exists', `${uri} is registered already`);
        throw error;
      }
      return { uri, ...record };
    },

    async get(uri: string): Promise<RegisteredResource | undefined> {
      const row = await store.get('resources', uri);
      return row && registered(row);
    },

    /** In the order of their URIs. */
    async list(page?: Page): Promise<{ resources: readonly RegisteredResource[]; next?: string }> {
      const { rows, next } = await store.find('resources', 'all', '', page);
      return { resources: rows.map(registered), ...(next && { next }) };
    },

    /** @throws Refusal `resource_unknown`; `resource_in_use` while a client may ask for it */
    async remove(uri: string): Promise<void> {
      const row = await store.get('resources', uri);
      if (!row) throw new Refusal('resource_unknown', `there is no resource ${JSON.stringify(uri.slice(0, 200))}`);
      for await (const { id, record } of every(store, 'clients', 'all', ''))
        if (record.resources.includes(uri))
          throw new Refusal('resource_in_use', `${id} (${record.name}) may ask for ${uri}: change that client first`);
      await store.commit([{ remove: 'resources', id: uri }, audit.record('resource.removed', { details: { uri } })]);
    },
  };
}
