import type { z } from 'zod';
import type { Domain } from '../../domain/index.ts';

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

/** Every item of a listing, page by page. */
export async function everyPage<T>(read: (page: { after?: string; limit: number }) => Promise<Paged<T>>): Promise<T[]> {
  const all: T[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await read({ limit: 1000, ...(after && { after }) });
    all.push(...items);
    after = next;
  } while (after);
  return all;
}
