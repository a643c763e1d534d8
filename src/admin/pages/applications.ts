import type { OperatorPage, OperatorRoom } from './operator.ts';
import { nextOf, pageOf } from './paging.ts';

/** Every application, whoever registered it, page by page. */
export const applicationsPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'applications',
  async show(ctx, _me, frame) {
    const { clients, next } = await domain.clients.list(pageOf(ctx));
    pages.show(ctx, 'admin-applications', {
      ...frame,
      applications: clients.map(({ id, name, type, registration }) => ({
        id,
        name,
        type,
        unknown: registration !== undefined && !registration.vouched,
      })),
      next: nextOf(ctx, next),
    });
  },
});
