import { z } from 'zod';
import type { Domain } from '../domain/index.ts';
import type { Page } from '../store/index.ts';

/** One thing an operator can have done: what it takes, and how it is done on the domain. Both ends are plain JSON. */
export interface Operation {
  readonly takes: z.ZodType;
  run(domain: Domain, args: never): Promise<unknown>;
}

/** Ties what an operation takes to what it runs on. */
export const operation = <S extends z.ZodType, R>(
  takes: S,
  run: (domain: Domain, args: z.output<S>) => Promise<R>,
): { takes: S; run(domain: Domain, args: z.output<S>): Promise<R> } => ({ takes, run });

interface Paged<T> {
  readonly items: readonly T[];
  readonly next?: string | undefined;
}

/** One page of a listing: as many as a store gives at most, after the `next` of the page before. */
const onePage = z.strictObject({
  after: z.string().max(4000).optional(),
  limit: z.int().min(1).max(1000).prefault(100),
});

/** A listing, as two operations: `list` gives every item, `page` one page of them. */
export const listing = <T, J>(read: (domain: Domain, page: Page) => Promise<Paged<T>>, json: (item: T) => J) => ({
  list: operation(z.strictObject({}), async (domain) => (await everyPage((page) => read(domain, page))).map(json)),
  page: operation(onePage, async (domain, { after, limit }) => {
    const { items, next } = await read(domain, { limit, ...(after !== undefined && { after }) });
    return { items: items.map(json), ...(next !== undefined && { next }) };
  }),
});

/** Every item of a listing, page by page. */
async function everyPage<T>(read: (page: Page) => Promise<Paged<T>>): Promise<T[]> {
  const all: T[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await read({ limit: 1000, ...(after && { after }) });
    all.push(...items);
    after = next;
  } while (after);
  return all;
}
