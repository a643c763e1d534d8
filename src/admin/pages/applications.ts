import { nextOf, pageOf } from '../../http/index.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

/** How many are told of those that are found. */
const FOUND = 50;

/** Every application, whoever registered it, page by page, and those that have a text in their names. */
export const applicationsPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'applications',
  async show(ctx, _me, frame) {
    const { name } = ctx.query;
    const wanted = typeof name === 'string' ? name.trim() : '';
    const matching = wanted === '' ? undefined : await domain.clients.matching(wanted, FOUND + 1);
    const { clients, next = undefined } = matching
      ? { clients: matching.slice(0, FOUND) }
      : await domain.clients.list(pageOf(ctx));
    const order = new Intl.Collator(pages.localeOf(ctx), { numeric: true });
    pages.show(ctx, 'admin-applications', {
      ...frame,
      wanted,
      more: matching !== undefined && matching.length > FOUND,
      applications: clients
        .map(({ id, name, type, registration }) => ({
          id,
          name,
          type,
          unknown: registration !== undefined && !registration.vouched,
        }))
        // As on the page of people: their ids say nothing to whoever looks for one.
        .toSorted((a, b) => order.compare(a.name, b.name)),
      next: nextOf(ctx, next),
    });
  },
});
