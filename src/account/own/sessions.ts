import { deviceName } from './device-name.ts';
import type { OwnPage, OwnRoom } from './own.ts';

/** Where somebody is signed in. */
export const sessionsPage = ({ ownSessions, pages }: OwnRoom): OwnPage => ({
  name: 'sessions',
  async show(ctx, { person, sessionId }, frame) {
    const sessions = (await ownSessions.list(person.id)).map(({ userAgent, ...session }) => ({
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
      await ownSessions.end(person.id, form['session'] ?? '');
      return { to: 'sessions', done: 'session' };
    },
    async 'end-others'(_ctx, { person, sessionId }) {
      await ownSessions.endOthers(person.id, sessionId);
      return { to: 'sessions', done: 'sessions' };
    },
  },
});
