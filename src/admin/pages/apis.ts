import { nextOf, pageOf } from '../../http/index.ts';
import { addressOfApi } from './api-terms.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

/** Every API, page by page. */
export const apisPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'apis',
  async show(ctx, _me, frame) {
    const { resources, next } = await domain.resources.list(pageOf(ctx));
    pages.show(ctx, 'admin-apis', {
      ...frame,
      apis: resources.map(({ uri, name }) => ({ uri, name, address: `/admin/${addressOfApi(uri)}` })),
      next: nextOf(ctx, next),
    });
  },
});
