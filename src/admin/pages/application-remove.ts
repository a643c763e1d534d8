import { perform } from '../../operations/index.ts';
import { registered } from './application.ts';
import { gone } from './gone.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

/** Asks before an application is removed. */
export const removeApplicationPage = (room: OperatorRoom): OperatorPage => ({
  name: 'applications/:id/remove',
  async show(ctx, _me, frame) {
    const { pages } = room;
    const client = await registered(room, ctx['params'].id);
    if (!client) return pages.show(ctx, 'not-found', {}, 404);
    const { id, name } = client;
    pages.show(ctx, 'admin-remove', { ...frame, what: 'application', name, back: `/admin/applications/${id}` });
  },
  decisions: {
    async remove(ctx) {
      await gone(perform(room.domain, 'client.remove', { client_id: ctx['params'].id }), 'client_unknown');
      return { to: 'applications', done: 'application_removed' };
    },
  },
});
