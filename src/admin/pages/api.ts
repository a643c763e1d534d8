import { perform } from '../../operations/index.ts';
import { addressOfApi, apiAt, apiFields, apiShown, apiTermsIn } from './api-terms.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';
import { merged, seenOf } from './seen.ts';

/** One API and its terms, to be changed. */
export const apiPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'apis/:id',
  async show(ctx, _me, frame, form) {
    const api = await apiAt(domain, ctx['params'].id);
    if (!api) return pages.show(ctx, 'not-found', {}, 404);
    const { uri, alg = 'RS256', createdAt } = api;
    const called = await domain.resources.nameOf(uri);
    const now = apiShown(api);
    pages.show(ctx, 'admin-api', {
      ...frame,
      uri,
      called,
      alg,
      createdAt,
      seen: seenOf(now),
      terms: form ? merged(apiFields(form), now, form['seen']).fields : now,
    });
  },
  decisions: {
    async save(ctx, _me, form) {
      const api = await apiAt(domain, ctx['params'].id);
      if (!api) return { error: 'resource_unknown' };
      const { fields, clash } = merged(apiFields(form), apiShown(api), form['seen']);
      if (clash) return { error: 'conflict' };
      await perform(domain, 'resource.update', { uri: api.uri, ...apiTermsIn(fields) });
      return { to: addressOfApi(api.uri), done: 'api_saved' };
    },
  },
});
