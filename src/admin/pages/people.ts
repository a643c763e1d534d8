import type { OperatorPage, OperatorRoom } from './operator.ts';
import { nextOf, pageOf } from './paging.ts';

/** How many are told of those whose addresses begin alike. */
const FOUND = 50;

/** Everybody, page by page, and whoever has an address, or one that begins so. */
export const peoplePage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'people',
  async show(ctx, _me, frame, form) {
    const email = form?.['email'] ?? '';
    const { people, next = undefined } =
      frame.error === 'several_people'
        ? { people: await domain.accounts.startingWith(email, FOUND) }
        : await domain.accounts.list(pageOf(ctx));
    pages.show(ctx, 'admin-people', {
      ...frame,
      email,
      // Pages follow each other as people came to their ids; on one of them they are easier found by their addresses.
      people: people
        .map(({ id, name, admin, disabled, ...person }) => ({ id, email: person.email, name, admin, disabled }))
        .toSorted((a, b) => a.email.localeCompare(b.email, pages.localeOf(ctx))),
      next: nextOf(ctx, next),
    });
  },
  decisions: {
    // By a form that is posted, so that no address of anybody's stands in a URL.
    async find(_ctx, _me, form) {
      const email = form['email']?.trim() ?? '';
      const exact = email && (await domain.accounts.byEmail(email));
      const found = exact ? [exact] : email ? await domain.accounts.startingWith(email, 2) : [];
      if (found.length > 1) return { error: 'several_people', status: 200 };
      return found[0] ? { to: `people/${found[0].id}` } : { error: 'user_unknown', status: 404 };
    },
  },
});
