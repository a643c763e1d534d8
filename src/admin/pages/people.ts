import type { OperatorPage, OperatorRoom } from './operator.ts';
import { nextOf, pageOf } from './paging.ts';

/** Everybody, page by page, and whoever has an address. */
export const peoplePage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'people',
  async show(ctx, _me, frame, form) {
    const { people, next } = await domain.accounts.list(pageOf(ctx));
    pages.show(ctx, 'admin-people', {
      ...frame,
      email: form?.['email'] ?? '',
      people: people.map(({ id, email, name, admin, disabled }) => ({ id, email, name, admin, disabled })),
      next: nextOf(ctx, next),
    });
  },
  decisions: {
    // By a form that is posted, so that no address of anybody's stands in a URL.
    async find(_ctx, _me, form) {
      const found = await domain.accounts.byEmail(form['email']?.trim() ?? '');
      return found ? { to: `people/${found.id}` } : { error: 'user_unknown', status: 404 };
    },
  },
});
