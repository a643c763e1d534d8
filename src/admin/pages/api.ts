import { perform } from '../../operations/index.ts';
import { addressOfApi, apiAt, apiFields, apiShown, apiTermsIn } from './api-terms.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

/** One API and its terms, to be changed. */
export const apiPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'apis/:id',
  async show(ctx, _me, frame, form) {
    const api = await apiAt(domain, ctx['params'].id);
    if (!api) return pages.show(ctx, 'not-found', {}, 404);
    const { uri, alg = 'RS256', createdAt } = api;
    const called = await domain.resources.nameOf(uri);
    pages.show(ctx, 'admin-api', {
      ...frame,
      uri,
      called,
      alg,
      createdAt,
      terms: form ? apiFields(form) : apiShown(api),
    });
  },
  decisions: {
    async save(ctx, _me, form) {
      const api = await apiAt(domain, ctx['params'].id);
      if (!api) return { error: 'resource_unknown' };
      await perform(domain, 'resource.update', { uri: api.uri, ...apiTermsIn(form) });
      return { to: addressOfApi(api.uri), done: 'api_saved' };
    },
  },
});
