import { Refusal } from '../../lib/index.ts';
import { passwordError } from '../password-errors.ts';
import type { OwnPage, OwnRoom } from './own.ts';

/** A new password. Whoever is here has just proven who they are, so the old one is not asked for. */
export const passwordPage = ({ domain, pages }: OwnRoom): OwnPage => ({
  name: 'password',
  sensitive: true,
  show: async (ctx, { person }, frame) =>
    pages.show(ctx, 'account-password', { ...frame, minimum: await domain.accounts.minimumFor(person.id) }),
  decisions: {
    async save(_ctx, { person, sessionId }, form) {
      try {
        await domain.accounts.setPassword(person.id, form['password'] ?? '', { exceptSession: sessionId });
        return { to: '', done: 'password' };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        // Ended while the password was hashed: they sign in anew, if they can.
        if (error.code === 'session_over') return { to: 'password' };
        return passwordError(error);
      }
    },
  },
});
