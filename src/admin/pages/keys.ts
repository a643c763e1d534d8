import { perform } from '../../operations/index.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

/** What signs, and what is published beside it. */
export const keysPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'keys',
  show: async (ctx, _me, frame) => pages.show(ctx, 'admin-keys', { ...frame, keys: domain.keys.list() }),
  decisions: {
    async rotate(_ctx, _me, form) {
      const { alg } = form;
      await perform(domain, 'keys.rotate', { alg });
      return { to: 'keys', done: 'rotated' };
    },
  },
});
