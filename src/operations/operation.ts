import { setImmediate as turn } from 'node:timers/promises';
import { z } from 'zod';
import type { Domain, RegisteredClient } from '../domain/index.ts';
import type { Page } from '../store/index.ts';

/** One thing an operator can have done: what it takes, what it gives, and how it is done on the domain. Both ends are plain JSON. */
export interface Operation {
  readonly takes: z.ZodType;
  /** What it answers, told to whoever writes a client; test/operations/shapes.test.ts holds every answer to it. */
  readonly gives: z.ZodType;
  run(domain: Domain, args: never, asking: Asking): Promise<unknown>;
}

/** How it is asked for. */
export interface Asking {
  /** From where an operator can be made without one: then even the last may be taken away. */
  readonly evenLast?: boolean;
  /** Whether the application that is to be changed is still what whoever asks was shown; else it is a `conflict`. */
  readonly asSeen?: (client: RegisteredClient) => boolean;
}

/** As a schema says, of whatever is only read. */
type ReadOnly<T> = T extends readonly (infer E)[]
  ? readonly ReadOnly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: ReadOnly<T[K]> }
    : T;

/** Ties what an operation takes to what it runs on, and what that gives to what it says it does. */
export const operation = <S extends z.ZodType, G extends z.ZodType>(
  takes: S,
  gives: G,
  run: (domain: Domain, args: z.output<S>, asking: Asking) => Promise<ReadOnly<z.input<G>>>,
): { takes: S; gives: G; run: typeof run } => ({ takes, gives, run });

interface Paged<T> {
  readonly items: readonly T[];
  readonly next?: string | undefined;
}

/** What is wrong with what came, in one line. */
export const faultsOf = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message)).join('; ');

/**
 * Where a page of a listing begins.
 * @param id how its items are named: what cannot be one is no `next` of this listing, and would begin it anew or end it unseen
 */
export const afterOne = (id: RegExp) =>
  z
    .string()
    .max(4000)
    .regex(new RegExp(`^$|${id.source}`), 'is the `next` of no page of this list')
    .optional()
    .describe('the `next` of the page before');

/** One page of a listing: as many as a store gives at most. */
export const onePage = (id: RegExp) =>
  z.strictObject({
    after: afterOne(id),
    limit: z.int().min(1).max(1000).prefault(100).describe('items in a page at most'),
  });

/** A listing, as two operations: `list` gives every item, `page` one page of them. */
export const listing = <T, G extends z.ZodType>(
  id: RegExp,
  read: (domain: Domain, page: Page) => Promise<Paged<T>>,
  shape: G,
  json: (item: T) => ReadOnly<z.input<G>>,
) => ({
  list: operation(z.strictObject({}), z.array(shape), async (domain) => {
    const items = await everyPage((page) => read(domain, page));
    return items.map(json) as ReadOnly<z.input<G>[]>;
  }),
  page: operation(onePage(id), pageOf(shape), async (domain, { after, limit }) => {
    const { items, next } = await read(domain, { limit, ...(after !== undefined && { after }) });
    return { items: items.map(json), ...(next !== undefined && { next }) } as never;
  }),
});

/** What a page is, of whatever has such a shape; `next` stands in every page but the last. */
export const pageOf = <G extends z.ZodType>(shape: G) =>
  z.strictObject({
    items: z.array(shape),
    next: z
      .string()
      .optional()
      .describe('the `after` of the next page, however few items this one holds; absent in the last'),
  });

/** Every item of a listing, page by page; between two it is others' turn. */
export async function everyPage<T>(read: (page: Page) => Promise<Paged<T>>): Promise<T[]> {
  const all: T[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await read({ limit: 1000, ...(after && { after }) });
    all.push(...items);
    after = next;
    if (after) await turn();
  } while (after);
  return all;
}
