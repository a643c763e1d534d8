import { perform } from '../../operations/index.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

/** What an operator knows better of a person: their name, their address, whether they are an operator. */
export const editPersonPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'people/:id/edit',
  async show(ctx, me, frame, form) {
    const person = await domain.accounts.get(ctx['params'].id);
    if (!person) return pages.show(ctx, 'not-found', {}, 404);
    const { id, email, name = '', emailVerified, admin } = person;
    const typed = form && {
      email: form['email'] ?? '',
      name: form['name'] ?? '',
      emailVerified: form['verified'] === 'yes',
      admin: form['admin'] === 'yes',
    };
    pages.show(ctx, 'admin-person-edit', {
      ...frame,
      id,
      self: id === me.person.id,
      ...(typed ?? { email, name, emailVerified, admin }),
    });
  },
  decisions: {
    async save(ctx, me, { email = '', name = '', verified, admin }) {
      const person = await domain.accounts.get(ctx['params'].id);
      if (!person) return { error: 'user_unknown' };
      const [newName, newEmail, isVerified, isAdmin] = [name.trim(), email.trim(), verified === 'yes', admin === 'yes'];
      const moves = newEmail !== person.email;
      const correction = {
        ...(newName && newName !== person.name && { name: newName }),
        // Another address is confirmed by nobody yet, however that of before was.
        ...(moves ? { email: newEmail } : isVerified !== person.emailVerified && { email_verified: isVerified }),
        // Whoever takes it from themself cannot give it back.
        ...(person.id !== me.person.id && isAdmin !== person.admin && { admin: isAdmin }),
      };
      if (Object.keys(correction).length > 0) await perform(domain, 'user.update', { user: person.id, ...correction });
      return { to: `people/${person.id}`, done: 'person_updated' };
    },
  },
});
