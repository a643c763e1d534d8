import { deviceName } from '../../domain/index.ts';
import type { OwnPage, OwnRoom } from './own.ts';

/** Where somebody is signed in. */
export const sessionsPage = ({ domain, pages }: OwnRoom): OwnPage => ({
  name: 'sessions',
  async show(ctx, { person, sessionId }, frame) {
    const sessions = (await domain.signIns.list(person.id)).map(({ userAgent, ...session }) => ({
      ...session,
      ...deviceName(userAgent),
      current: session.id === sessionId,
    }));
    pages.show(ctx, 'account-sessions', {
      ...frame,
      sessions: sessions.toSorted((a, b) => Number(b.current) - Number(a.current)),
    });
  },
  decisions: {
    async end(_ctx, { person }, form) {
      await domain.signIns.end(person.id, form['session'] ?? '');
      return { to: 'sessions', done: 'session' };
    },
    async 'end-others'(_ctx, { person, sessionId }) {
      await domain.signIns.endOthers(person.id, sessionId);
      return { to: 'sessions', done: 'sessions' };
    },
  },
});
