import type { Person } from '../../domain/index.ts';
import { type GuardedFrame, nextOf, pageOf, SHOWN } from '../../http/index.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

/** Half a second's work, in which others have their turns: whoever looks for one among many is not led through empty pages. */
const LOOKED_THROUGH = 100_000;

/** Everybody, page by page, and whoever has something in their name or address. */
export const peoplePage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'people',
  async show(ctx, _me, frame, form) {
    const { people, next = undefined } = await domain.accounts.list(pageOf(ctx));
    pages.show(ctx, 'admin-people', {
      ...frame,
      who: form?.['who'] ?? '',
      people: listed(people, pages.localeOf(ctx)),
      next: nextOf(ctx, next),
    });
  },
  decisions: {
    // By a form that is posted, so that nobody's name or address stands in a URL.
    async find(ctx, _me, form) {
      const { after = '' } = form;
      const who = form['who']?.trim() ?? '';
      if (who === '') return { to: 'people' };
      const exact = after ? undefined : await domain.accounts.byEmail(who);
      if (exact) return { to: `people/${exact.id}` };
      const [starting, { people, next = undefined }] = await Promise.all([
        // They are found at once, however many others there are.
        after ? [] : domain.directory.startingWith(who, SHOWN),
        domain.directory.matching(who, { after, limit: SHOWN, most: LOOKED_THROUGH }),
      ]);
      const found = [...new Map([...starting, ...people].map((person) => [person.id, person])).values()];
      if (found.length === 0 && next === undefined) return { error: 'nobody_found', status: 404 };
      if (found[0] && found.length === 1 && next === undefined && !after) return { to: `people/${found[0].id}` };
      const show = (frame: GuardedFrame) =>
        pages.show(ctx, 'admin-people', {
          ...frame,
          who,
          people: listed(found, pages.localeOf(ctx)),
          found: { next },
        });
      return { show };
    },
  },
});

/** Pages follow each other as people came to their ids; on one of them they are easier found by their addresses. */
const listed = (people: readonly Person[], locale: string) =>
  people
    .map(({ id, email, name, admin, disabled }) => ({ id, email, name, admin, disabled }))
    .toSorted((a, b) => a.email.localeCompare(b.email, locale));
