import type { Person } from '../../domain/index.ts';
import type { SignedIn } from '../../engine/index.ts';
import { nextOf, pageOf, SHOWN, sendOn } from '../../http/index.ts';
import { seal, unseal } from '../../lib/index.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

/** Half a second's work, in which others have their turns: whoever looks for one among many is not led through empty pages. */
const LOOKED_THROUGH = 100_000;

/** As long as an address can be. */
const LONGEST = 254;

/**
 * Everybody, page by page, and whoever has something in their name or address. That is asked for by a form that is posted, and
 * stands in the address of what was found sealed for whoever asked: logs of addresses tell nobody's name, and the page can be
 * reloaded and come back to.
 */
export function peoplePage({ domain, pages, searchKey }: OperatorRoom): OperatorPage {
  const labelOf = ({ person }: SignedIn): string => `search of ${person.id}`;

  function opened(sealed: unknown, me: SignedIn): string | undefined {
    if (typeof sealed !== 'string') return undefined;
    try {
      return unseal(searchKey, labelOf(me), sealed);
    } catch {
      return undefined;
    }
  }

  async function found(who: string, { after, limit }: ReturnType<typeof pageOf>) {
    const [starting, { people, next = undefined }] = await Promise.all([
      // They are found at once, however many others there are.
      after ? [] : domain.directory.startingWith(who, limit),
      domain.directory.matching(who, { after, limit, most: LOOKED_THROUGH }),
    ]);
    return { people: [...new Map([...starting, ...people].map((person) => [person.id, person])).values()], next };
  }

  async function everybody(page: ReturnType<typeof pageOf>) {
    const { people, next = undefined } = await domain.accounts.list(page);
    return { people, next };
  }

  return {
    name: 'people',
    async show(ctx, me, frame, form) {
      const page = pageOf(ctx);
      const who = opened(ctx.query['q'], me);
      const sought = who === undefined ? undefined : await found(who, page);
      const [one, ...others] = sought?.people ?? [];
      if (one && others.length === 0 && sought?.next === undefined && !page.after)
        return sendOn(ctx, `/admin/people/${one.id}`);
      const nobody = sought !== undefined && !one && sought.next === undefined;
      const { people, next } = sought && !nobody ? sought : await everybody(nobody ? { limit: SHOWN } : page);
      pages.show(
        ctx,
        'admin-people',
        {
          ...frame,
          ...(nobody && { error: 'nobody_found' }),
          who: form?.['who'] ?? who ?? '',
          people: listed(people, pages.localeOf(ctx)),
          found: sought !== undefined && !nobody,
          next: nextOf(ctx, next, sought && !nobody ? { q: String(ctx.query['q']) } : {}),
        },
        nobody ? 404 : 200,
      );
    },
    decisions: {
      async find(_ctx, me, form) {
        const who = form['who']?.trim() ?? '';
        if (who === '') return { to: 'people' };
        if (who.length > LONGEST) return { error: 'nobody_found', status: 404 };
        const exact = await domain.accounts.byEmail(who);
        if (exact) return { to: `people/${exact.id}` };
        return { to: `people?${new URLSearchParams({ q: seal(searchKey, labelOf(me), who) })}` };
      },
    },
  };
}

/** Pages follow each other as people came to their ids; on one of them they are easier found by their addresses. */
const listed = (people: readonly Person[], locale: string) =>
  people
    .map(({ id, email, name, admin, disabled }) => ({ id, email, name, admin, disabled }))
    .toSorted((a, b) => a.email.localeCompare(b.email, locale));
