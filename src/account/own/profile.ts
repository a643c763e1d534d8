import { stateOf } from '../../http/index.ts';
import { Refusal } from '../../lib/index.ts';
import type { OwnPage, OwnRoom } from './own.ts';

/** The name that applications are told, and whether the address is known to be read. */
export const profilePage = ({ domain, pages }: OwnRoom): OwnPage => ({
  name: 'profile',
  show: async (ctx, { person }, frame, form) =>
    pages.show(ctx, 'account-profile', {
      ...frame,
      name: form?.['name'] ?? person.name ?? '',
      emailVerified: person.emailVerified,
    }),
  decisions: {
    async save(_ctx, { person }, form) {
      try {
        await domain.accounts.rename(person.id, form['name']?.trim() ?? '');
        return { to: 'profile', done: 'profile' };
      } catch (error) {
        if (error instanceof Refusal && error.code === 'name_invalid') return { error: 'name' };
        throw error;
      }
    },
    async verify(ctx, { person: { id: accountId, epoch, email } }) {
      const wait = await domain.mailRequests.ask(
        { wanted: 'verify-email', accountId, epoch, email, locale: pages.localeOf(ctx) },
        stateOf(ctx).address ?? '',
      );
      return wait === undefined ? { to: 'profile', done: 'verify' } : { error: 'too_many', again: wait };
    },
  },
});
