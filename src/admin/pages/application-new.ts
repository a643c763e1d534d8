import { perform } from '../../operations/index.ts';
import { secretOnce } from './application-secret.ts';
import { termsIn, termsShown } from './application-terms.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

/** Adding an application; its secret is shown this once. */
export const newApplicationPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'applications/new',
  async show(ctx, _me, frame, form) {
    const terms = await termsShown(domain, form && termsIn(form));
    pages.show(ctx, 'admin-application-new', { ...frame, type: form?.['type'] ?? 'web', terms });
  },
  decisions: {
    async add(_ctx, _me, form) {
      const { type = '' } = form;
      const added = await perform(domain, 'client.add', { type, ...termsIn(form) });
      return secretOnce(added as Parameters<typeof secretOnce>[0], 'application_added');
    },
  },
});
