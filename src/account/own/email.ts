import { stateOf } from '../../http/index.ts';
import { Refusal } from '../../lib/index.ts';
import type { OwnPage, OwnRoom } from './own.ts';

/** Another address to sign in with. It counts from the moment its mailbox says so; the old one is told. */
export const emailPage = ({ domain, pages }: OwnRoom): OwnPage => ({
  name: 'email',
  sensitive: true,
  show: async (ctx, _me, frame, form) => pages.show(ctx, 'account-email', { ...frame, email: form?.['email'] ?? '' }),
  decisions: {
    async save(ctx, { person }, form) {
      const email = form['email']?.trim() ?? '';
      const locale = pages.localeOf(ctx);
      try {
        const wait = await domain.mailRequests.ask(
          { wanted: 'change-email', accountId: person.id, epoch: person.epoch, email, locale },
          stateOf(ctx).address ?? '',
        );
        return wait === undefined ? { to: 'profile', done: 'email' } : { error: 'too_many', again: wait };
      } catch (error) {
        if (error instanceof Refusal && error.code === 'email_invalid') return { error: 'email_invalid' };
        throw error;
      }
    },
  },
});
