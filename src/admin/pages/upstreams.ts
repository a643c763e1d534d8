import type { OperatorPage, OperatorRoom } from './operator.ts';
import { kindShown } from './upstream-terms.ts';

/** Every provider people may sign in by, in the order in which they are offered. */
export const upstreamsPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'upstreams',
  async show(ctx, _me, frame) {
    const upstreams = domain.upstreams.list().map(({ id, name, kind }) => ({ id, name, kind: kindShown(kind) }));
    pages.show(ctx, 'admin-upstreams', { ...frame, upstreams });
  },
});
