import { perform } from '../../operations/index.ts';
import { gone } from './gone.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

/** Asks before a provider is removed, and says how many links go with it. */
export const removeUpstreamPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'upstreams/:id/remove',
  async show(ctx, _me, frame) {
    const upstream = await domain.upstreams.get(ctx['params'].id);
    if (!upstream) return pages.show(ctx, 'not-found', {}, 404);
    const { id, name, createdAt } = upstream;
    pages.show(ctx, 'admin-remove', {
      ...frame,
      what: 'upstream',
      name,
      linked: await domain.upstreams.links(id),
      since: createdAt,
      back: `/admin/upstreams/${id}`,
    });
  },
  decisions: {
    async remove(ctx, _me, form) {
      const upstream = await domain.upstreams.get(ctx['params'].id);
      // Another one may have its id since.
      if (upstream && form['since'] !== String(upstream.createdAt)) return { error: 'conflict' };
      if (upstream) await gone(perform(domain, 'upstream.remove', { id: upstream.id }), 'upstream_unknown');
      return { to: 'upstreams', done: 'upstream_removed' };
    },
  },
});
