import { perform } from '../../operations/index.ts';
import { gone } from './gone.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

/** Asks before somebody is removed. */
export const removePersonPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'people/:id/remove',
  async show(ctx, me, frame) {
    const person = await domain.accounts.get(ctx['params'].id);
    if (!person) return pages.show(ctx, 'not-found', {}, 404);
    pages.show(ctx, 'admin-remove', {
      ...frame,
      ...(person.id === me.person.id && { error: 'self' }),
      what: 'person',
      name: person.email,
      back: `/admin/people/${person.id}`,
    });
  },
  decisions: {
    async remove(ctx, me) {
      const person = await domain.accounts.get(ctx['params'].id);
      if (person?.id === me.person.id) return { error: 'self' };
      if (person) await gone(perform(domain, 'user.remove', { user: person.id }), 'user_unknown');
      return { to: 'people', done: 'person_removed' };
    },
  },
});
