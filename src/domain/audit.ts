import { AsyncLocalStorage } from 'node:async_hooks';
import { isDeepStrictEqual } from 'node:util';
import { type Clock, days, newId } from '../lib/index.ts';
import type { AuditEvent, Page, Put, Store } from '../store/index.ts';
import { every } from './every.ts';

interface AuditEntry {
  readonly accountId?: string;
  readonly clientId?: string;
  readonly details?: AuditEvent['details'];
}

/** What is looked for, and how far. */
interface Search {
  readonly accountId?: string | undefined;
  /** A kind of event, or what stands before its dot for all of these. */
  readonly type?: string | undefined;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
  /** Events in a page at most. */
  readonly limit: number;
  /** Events that are looked through for them at most. */
  readonly most?: number;
}

type Event = AuditEvent & { readonly id: string };

/** An event to be written down. */
type AuditPut = Put<'audit'> & { readonly expiresAt: number };

export type Audit = ReturnType<typeof createAudit>;

const KEPT = days(90);
/** Somebody who looks for what hardly ever happens waits for a page of it a few times rather than long once. */
const LOOKED_THROUGH = 5000;
/** What is read at a time. */
const READ = 500;
/** Past the year 10000: what is taken from it keeps twelve hexadecimal digits. */
const END_OF_TIME = 2 ** 48 - 1;

/** Whoever does something to what is not their own: an operator, or a program on their behalf. */
export interface Actor {
  /** A person. */
  readonly by?: string;
  readonly by_client?: string;
}

/** What happened, who it happened to, and when; kept 90 days. */
export function createAudit({ store, now }: { store: Store; now: Clock }) {
  const acting = new AsyncLocalStorage<{ actor: Actor }>();

  /** What happened, the newest first; to one person where one is given. */
  async function* events(accountId?: string, page?: Page): AsyncGenerator<Event> {
    const rows =
      accountId === undefined
        ? every(store, 'audit', 'all', '', page)
        : every(store, 'audit', 'accountId', accountId, page);
    for await (const { id, record } of rows) yield { id, ...record };
  }

  return {
    /** The change that records it, to go into the same commit as what it tells of. */
    record: (type: string, entry: AuditEntry = {}): AuditPut =>
      auditEvent(now(), type, { ...entry, details: { ...entry.details, ...acting.getStore()?.actor } }),

    /**
     * Every event of what is done in `work` says whose doing it was, in its details. Timers that are set meanwhile go on in
     * the same context, and what they do later is nobody's.
     */
    async actingAs<R>(actor: Actor, work: () => Promise<R>): Promise<R> {
      const mine = { actor };
      try {
        return await acting.run(mine, work);
      } finally {
        mine.actor = {};
      }
    },

    events,

    /**
     * A page of what happened, the newest first. Where more was looked through than `most`, it holds fewer than `limit`, or none;
     * `next` is where it goes on, and stands in every page but the last. What happens meanwhile moves no page.
     */
    async search({ accountId, type, after, limit, most = LOOKED_THROUGH }: Search) {
      const fits = (kind: string) => type === undefined || kind === type || kind.startsWith(`${type}.`);
      const found: Event[] = [];
      let [read, next] = [0, ''];
      // One more tells whether there is another page.
      const atOnce = type === undefined ? Math.min(limit + 1, READ) : READ;
      for await (const event of events(accountId, { limit: atOnce, ...(after && { after }) })) {
        if (found.length === limit || read === most) return { events: found, next };
        if (fits(event.type)) found.push(event);
        read += 1;
        next = event.id;
      }
      return { events: found };
    },

    /** Whose doing it is that is done here; undefined for what nobody is named for. */
    actor: (): Actor | undefined => acting.getStore()?.actor,

    /** A page of what happened to one person, the newest first. */
    async listForAccount(accountId: string, page?: Page) {
      const { rows, next } = await store.find('audit', 'accountId', accountId, page);
      return { events: rows.map(({ id, record }) => ({ id, ...record })), ...(next && { next }) };
    },

    /** All that happened to one person, the newest first. */
    allForAccount: (accountId: string): Promise<readonly AuditEvent[]> =>
      Array.fromAsync(every(store, 'audit', 'accountId', accountId), ({ record }) => record),
  };
}

/** What an event tells of a change: the names of whatever is another now, as they are in JSON; nothing where all is as it was. */
export function changedIn(before: object, after: object): { readonly changed?: string } {
  const was = new Map<string, unknown>(Object.entries(before));
  const is = new Map<string, unknown>(Object.entries(after));
  const names = new Set([...was.keys(), ...is.keys()]);
  const changed = [...names].filter((name) => !isDeepStrictEqual(was.get(name), is.get(name)));
  const inJson = changed.map((name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  return changed.length > 0 ? { changed: inJson.toSorted().join(' ') } : {};
}

/** What happened at that moment, as a change. */
export const auditEvent = (at: number, type: string, { accountId, clientId, details = {} }: AuditEntry): AuditPut => ({
  put: 'audit',
  id: newestFirst(at),
  expiresAt: at + KEPT,
  record: { at, type, details, ...(accountId && { accountId }), ...(clientId && { clientId }) },
});

/** Rows come in the order of their ids; these fall as time rises. */
const newestFirst = (at: number): string =>
  `evt_${(END_OF_TIME - at).toString(16).padStart(12, '0')}_${newId('evt').slice(4)}`;
