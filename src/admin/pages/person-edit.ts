import type { Person } from '../../domain/index.ts';
import type { Form } from '../../http/index.ts';
import { perform } from '../../operations/index.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';
import { merged, seenOf } from './seen.ts';

/** What an operator knows better of a person: their name, their address, whether they are an operator. */
export const editPersonPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'people/:id/edit',
  async show(ctx, me, frame, form) {
    const person = await domain.accounts.get(ctx['params'].id);
    if (!person) return pages.show(ctx, 'not-found', {}, 404);
    const { id } = person;
    const now = known(person);
    const { name, email, verified, admin } = form ? merged(typed(form), now, form['seen']).fields : now;
    pages.show(ctx, 'admin-person-edit', {
      ...frame,
      id,
      self: id === me.person.id,
      seen: seenOf(now),
      name,
      email,
      emailVerified: verified !== '',
      admin,
    });
  },
  decisions: {
    async save(ctx, me, form) {
      const person = await domain.accounts.get(ctx['params'].id);
      if (!person) return { error: 'user_unknown' };
      const { fields, clash } = merged(typed(form), known(person), form['seen']);
      const { name, email, verified, admin } = fields;
      if (clash) return { error: 'conflict' };
      const isVerified = verified === email;
      const correction = {
        ...(name !== known(person).name && { name }),
        // Another address is confirmed by nobody yet, however that of before was.
        ...(email !== person.email ? { email } : isVerified !== person.emailVerified && { email_verified: isVerified }),
        // Whoever takes it from themself cannot give it back.
        ...(person.id !== me.person.id && admin !== person.admin && { admin }),
      };
      if (Object.keys(correction).length > 0) await perform(domain, 'user.update', { user: person.id, ...correction });
      return { to: `people/${person.id}`, done: 'person_updated' };
    },
  },
});

/** As fields. It is an address that is confirmed: of another one that says nothing. */
const known = ({ name = '', email, emailVerified, admin }: Person) => ({
  name,
  email,
  verified: emailVerified ? email : '',
  admin,
});

function typed(form: Form) {
  const email = form['email']?.trim() ?? '';
  const { name = '', verified, admin } = form;
  return { name: name.trim(), email, verified: verified === 'yes' ? email : '', admin: admin === 'yes' };
}
