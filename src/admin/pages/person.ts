import { deviceName } from '../../domain/index.ts';
import { backTo, type Form, nextOf, pageOf } from '../../http/index.ts';
import { perform } from '../../operations/index.ts';
import { eventsShown } from './events-shown.ts';
import { gone } from './gone.ts';
import { invite, resetPassword } from './mailed-links.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

const EVENTS = 10;

type Decide = NonNullable<OperatorPage['decisions']>[string];

/** One person: what is known of them, and what can be done about it. */
export function personPage(room: OperatorRoom): OperatorPage {
  const { domain, pages, settings } = room;

  /** Nobody does to themselves what could lock them out. */
  const toOthers =
    (done: string, act: (id: string, form: Form) => Promise<unknown>): Decide =>
    async (ctx, me, form) => {
      const person = await domain.accounts.get(ctx['params'].id);
      if (!person) return { error: 'user_unknown' };
      if (person.id === me.person.id) return { error: 'self' };
      await act(person.id, form);
      return { to: backTo(`people/${person.id}`, form), done };
    };

  return {
    name: 'people/:id',
    async show(ctx, me, frame) {
      const person = await domain.accounts.get(ctx['params'].id);
      if (!person) return pages.show(ctx, 'not-found', {}, 404);
      const { id, email, emailVerified, name, admin, disabled, createdAt, passwordHash } = person;
      const page = pageOf(ctx);
      const [factors, { signIns, total, next }, { events }] = await Promise.all([
        domain.factors.list(id),
        domain.signIns.listWithApplications(id, page),
        domain.audit.listForAccount(id, { limit: EVENTS }),
      ]);
      pages.show(ctx, 'admin-person', {
        ...frame,
        id,
        self: id === me.person.id,
        email,
        emailVerified,
        name,
        admin,
        disabled,
        createdAt,
        hasPassword: passwordHash !== undefined,
        mailed: settings.smtp_url !== undefined,
        factors: factors.map(({ kind, name: called, digests, createdAt: since, lastUsedAt }) => ({
          kind,
          name: called,
          ...(digests && { left: digests.length }),
          createdAt: since,
          lastUsedAt,
        })),
        signIns: signIns.map(({ userAgent, applications, ...signIn }) => ({
          ...signIn,
          ...deviceName(userAgent),
          applications: applications.map(({ name: called }) => called),
        })),
        signedIn: total,
        after: page.after,
        next: next && `${nextOf(ctx, next)}#sign-ins`,
        events: await Promise.all(events.map(eventsShown(domain))),
      });
    },
    decisions: {
      disable: toOthers('disabled', (user) => perform(domain, 'user.disable', { user })),
      enable: toOthers('enabled', (user) => perform(domain, 'user.enable', { user })),
      'reset-factors': toOthers('factors_reset', (user) => perform(domain, 'user.reset-factors', { user })),
      'sign-out': toOthers('signed_out', (user) => perform(domain, 'user.sign-out', { user })),
      'end-session': toOthers('session_ended', (user, { session = '' }) =>
        gone(perform(domain, 'user.end-session', { user, session }), 'session_unknown'),
      ),
      async invite(ctx) {
        const person = await domain.accounts.get(ctx['params'].id);
        if (!person) return { error: 'user_unknown' };
        return invite(room, { email: person.email, language: person.locale ?? pages.localeOf(ctx) });
      },
      async 'password-reset'(ctx) {
        const person = await domain.accounts.get(ctx['params'].id);
        if (!person) return { error: 'user_unknown' };
        return resetPassword(room, person.id, person.locale ?? pages.localeOf(ctx));
      },
    },
  };
}
