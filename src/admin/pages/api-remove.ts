import { perform } from '../../operations/index.ts';
import { addressOfApi, apiAt } from './api-terms.ts';
import { gone } from './gone.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

/** Asks before an API is removed. */
export const removeApiPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'apis/:id/remove',
  async show(ctx, _me, frame) {
    const api = await apiAt(domain, ctx['params'].id);
    if (!api) return pages.show(ctx, 'not-found', {}, 404);
    const { uri } = api;
    pages.show(ctx, 'admin-remove', { ...frame, what: 'api', name: uri, back: `/admin/${addressOfApi(uri)}` });
  },
  decisions: {
    async remove(ctx) {
      const api = await apiAt(domain, ctx['params'].id);
      if (api) await gone(perform(domain, 'resource.remove', { uri: api.uri }), 'resource_unknown');
      return { to: 'apis', done: 'api_removed' };
    },
  },
});
