import { AsyncLocalStorage } from 'node:async_hooks';
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
  readonly type?: string | undefined;
  readonly after?: string | undefined;
  readonly enough: number;
  readonly most: number;
}

/** An event to be written down. */
type AuditPut = Put<'audit'> & { readonly expiresAt: number };

export type Audit = ReturnType<typeof createAudit>;

const KEPT = days(90);
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

    /** What happened, the newest first; to one person where one is given. */
    async *events(accountId?: string): AsyncGenerator<AuditEvent & { readonly id: string }> {
      const rows =
        accountId === undefined ? every(store, 'audit', 'all', '') : every(store, 'audit', 'accountId', accountId);
      for await (const { id, record } of rows) yield { id, ...record };
    },

    /**
     * What happened, the newest first: at least `enough` of a kind, or what is among the next `most` of all; `next` is where it
     * goes on.
     * @param type a kind of event, or what stands before its dot for all of these
     */
    async search({ accountId, type, after, enough, most }: Search) {
      const fits = (kind: string) => type === undefined || kind === type || kind.startsWith(`${type}.`);
      const limit = type === undefined ? enough : Math.min(500, most);
      const found: (AuditEvent & { readonly id: string })[] = [];
      let next = after;
      let read = 0;
      do {
        const page = { limit, ...(next !== undefined && { after: next }) };
        const { rows, next: goesOn } = await (accountId === undefined
          ? store.find('audit', 'all', '', page)
          : store.find('audit', 'accountId', accountId, page));
        for (const { id, record } of rows) if (fits(record.type)) found.push({ id, ...record });
        read += rows.length;
        next = goesOn;
      } while (next !== undefined && found.length < enough && read < most);
      return { events: found, ...(next !== undefined && { next }) };
    },

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
