import { deviceName, lastUsedFirst } from '../../domain/index.ts';
import { backTo, nextOf, pageOf } from '../../http/index.ts';
import type { OwnPage, OwnRoom } from './own.ts';

/** Where somebody is signed in. */
export const sessionsPage = ({ domain, pages }: OwnRoom): OwnPage => ({
  name: 'sessions',
  async show(ctx, { person, sessionId }, frame) {
    const page = pageOf(ctx);
    const { signIns, total, next } = await domain.signIns.list(person.id, {
      ...page,
      order: (signIn) => (signIn.id === sessionId ? '' : lastUsedFirst(signIn)),
    });
    pages.show(ctx, 'account-sessions', {
      ...frame,
      sessions: signIns.map(({ userAgent, ...session }) => ({
        ...session,
        ...deviceName(userAgent),
        current: session.id === sessionId,
      })),
      others: total > 1,
      after: page.after,
      next: nextOf(ctx, next),
    });
  },
  decisions: {
    async end(_ctx, { person }, form) {
      await domain.signIns.end(person.id, form['session'] ?? '');
      return { to: backTo('sessions', form), done: 'session' };
    },
    async 'end-others'(_ctx, { person, sessionId }) {
      await domain.signIns.endOthers(person.id, sessionId);
      return { to: 'sessions', done: 'sessions' };
    },
  },
});
