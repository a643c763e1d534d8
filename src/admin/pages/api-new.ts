import { perform } from '../../operations/index.ts';
import { addressOfApi, apiFields, apiTermsIn } from './api-terms.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

/** Adding an API. */
export const newApiPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'apis/new',
  async show(ctx, _me, frame, form = {}) {
    pages.show(ctx, 'admin-api-new', { ...frame, uri: form['uri'] ?? '', terms: apiFields(form) });
  },
  decisions: {
    async add(_ctx, _me, form) {
      const uri = form['uri']?.trim() ?? '';
      await perform(domain, 'resource.add', { uri, ...apiTermsIn(apiFields(form)) });
      return { to: addressOfApi(uri), done: 'api_added' };
    },
  },
});
