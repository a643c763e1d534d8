import { allowFormRedirect, sendOn } from '../../http/index.ts';
import { Refusal } from '../../lib/index.ts';
import type { OwnPage, OwnRoom } from './own.ts';

/** Providers that sign the person in here; see interaction/upstream/links.ts. */
export const linkedPage = ({ upstreamLinks, pages }: OwnRoom): OwnPage => ({
  name: 'linked',
  sensitive: true,
  async show(ctx, me, frame) {
    const outcome = await upstreamLinks.outcome(me);
    const offered = upstreamLinks.offered();
    allowFormRedirect(ctx, ...offered.map(({ place }) => place));
    pages.show(ctx, 'account-linked', {
      ...frame,
      linked: await upstreamLinks.list(me.person.id),
      offered: offered.map(({ id, name }) => ({ id, name })),
      outcome,
    });
  },
  decisions: {
    async link(ctx, me, form) {
      sendOn(ctx, await upstreamLinks.begin(ctx, me, form['upstream'] ?? '', '/account/linked'));
      return undefined;
    },
    async unlink(_ctx, { person }, form) {
      try {
        await upstreamLinks.unlink(person.id, form['link'] ?? '');
        return { to: 'linked', done: 'unlinked' };
      } catch (error) {
        if (error instanceof Refusal && error.code === 'identity_unknown') return { to: 'linked' };
        if (error instanceof Refusal && error.code === 'last_way_in') return { error: 'last' };
        throw error;
      }
    },
  },
});
