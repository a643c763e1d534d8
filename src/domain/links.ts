import { type Clock, type Duration, minutes, newSecret, Refusal, seconds, sha256 } from '../lib/index.ts';
import type { Change, Link, LinkPurpose, Row, Store } from '../store/index.ts';
import { every } from './every.ts';

/** How long a mailed link is good for, unless said otherwise. */
export const LINK_LIFETIME: Duration = minutes(30);

/** How long it is known what used a link up: a second click comes after the first one's answer has left. */
const DOUBLE_CLICK: Duration = seconds(10);

/** Where in which browser a link was asked for, so that its owner can go on there. */
export interface Origin {
  readonly interaction?: string | undefined;
  /** What names the browser, as in a guess. */
  readonly device?: string | undefined;
}

interface NewLink {
  readonly purpose: LinkPurpose;
  /** The person it is for, in the epoch it is made in; or the address, where there is no person yet. */
  readonly person?: { readonly id: string; readonly epoch: number } | undefined;
  readonly email?: string | undefined;
  readonly origin?: Origin | undefined;
  readonly lifetime?: Duration | undefined;
  /** Earlier ones for the same stay good, until one of them all is used. */
  readonly besideOthers?: boolean;
  /** By an operator, who may hand it on themselves: whoever asks for one ends none of theirs. */
  readonly handed?: boolean;
}

/** A link that is still good for what it was made for. */
type LiveLink = Row<Link>;

export type Links = ReturnType<typeof createLinks>;

const digestOf = (purpose: LinkPurpose, secret: string): string => sha256(`link\n${purpose}\n${secret}`);

/** Names a browser without telling which. */
export const browserOf = (device: string): string => sha256(`browser\n${device}`);

/**
 * Links that are mailed or printed: 256 random bits that are good for one purpose, once, for a while, and only until
 * another one is made for the same, or whatever the person proved before no longer counts.
 */
export function createLinks({ store, now }: { readonly store: Store; readonly now: Clock }) {
  const groupOf = ({ purpose, person, email, handed }: NewLink): string =>
    sha256(`links\n${purpose}\n${person ? `person ${person.id}` : `address ${email}`}${handed ? '\nhanded' : ''}`);

  async function removals(of: string, but?: string): Promise<Change[]> {
    const changes: Change[] = [];
    for await (const { id } of every(store, 'links', 'of', of)) if (id !== but) changes.push({ remove: 'links', id });
    return changes;
  }

  /** Used up or not. */
  async function known(purpose: LinkPurpose, secret: string): Promise<LiveLink | undefined> {
    const row = await store.get('links', digestOf(purpose, secret));
    return row?.record.purpose === purpose ? row : undefined;
  }

  async function find(purpose: LinkPurpose, secret: string): Promise<LiveLink | undefined> {
    const row = await known(purpose, secret);
    if (!row || row.record.usedBy !== undefined) return undefined;
    const { accountId, epoch } = row.record;
    if (accountId === undefined) return row;
    const account = (await store.get('accounts', accountId))?.record;
    return account && !account.disabled && account.epoch === epoch ? row : undefined;
  }

  return {
    /** The changes that make it, and end the earlier ones for the same, to go into the commit that sends it. */
    async issue(link: NewLink): Promise<{ readonly secret: string; readonly changes: readonly Change[] }> {
      const { purpose, person, email, handed, origin, lifetime = LINK_LIFETIME } = link;
      const secret = newSecret();
      const of = groupOf(link);
      const record: Link = {
        purpose,
        of,
        ...(person && { accountId: person.id, epoch: person.epoch }),
        ...(email !== undefined && { email }),
        ...(handed && { handed }),
        ...(origin?.interaction !== undefined && { interaction: origin.interaction }),
        ...(origin?.device !== undefined && { browser: browserOf(origin.device) }),
        createdAt: now(),
      };
      const id = digestOf(purpose, secret);
      return {
        secret,
        changes: [
          ...(link.besideOthers ? [] : await removals(of)),
          { put: 'links', id, record, expiresAt: now() + lifetime, expect: 'absent' },
        ],
      };
    },

    /** The link of this secret, where it is good for this purpose now. Changes nothing. */
    find,

    /** @throws Refusal `link_gone` where it is used, replaced, too old, or never was */
    async read(purpose: LinkPurpose, secret: string): Promise<Link> {
      const link = await find(purpose, secret);
      if (!link) throw gone();
      return link.record;
    },

    /**
     * The changes that use it up, for the commit that does what it is good for: of any number, one happens. To be asked
     * for anew when that commit met a conflict.
     * @param form what uses it up, as {@link usedBy} is asked about it
     * @throws Refusal `link_gone`
     */
    async spend(purpose: LinkPurpose, secret: string, form?: string): Promise<readonly Change[]> {
      const link = await find(purpose, secret);
      if (!link) throw gone();
      const { id, version, record } = link;
      const used: Change =
        form === undefined
          ? { remove: 'links', id, expect: version }
          : {
              put: 'links',
              id,
              record: { ...record, usedBy: sha256(form) },
              expiresAt: now() + DOUBLE_CLICK,
              expect: version,
            };
      return [used, ...(await removals(record.of, id))];
    },

    /** The link, where this very form used it up a moment ago; nothing more comes of it. */
    async usedBy(purpose: LinkPurpose, secret: string, form: string): Promise<Link | undefined> {
      const link = await known(purpose, secret);
      return link?.record.usedBy === sha256(form) ? link.record : undefined;
    },
  };
}

const gone = () => new Refusal('link_gone', 'this link was used, replaced by a newer one, or is too old');
