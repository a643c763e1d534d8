import { nextOf } from '../../http/index.ts';
import { eventsShown } from './events-shown.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

/** How many a page shows. */
const SHOWN = 50;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** What happened lately: to everybody or to one person, of every kind or of one. */
export const eventsPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'events',
  async show(ctx, _me, frame, form) {
    const [user, type] = [text(ctx.query['user']), text(ctx.query['type'])];
    const { events, next } = await domain.audit.search({
      accountId: user || undefined,
      type: type || undefined,
      after: text(ctx.query['after']) || undefined,
      limit: SHOWN,
    });
    pages.show(ctx, 'admin-events', {
      ...frame,
      user: form?.['user'] ?? (user && ((await domain.accounts.get(user))?.email ?? user)),
      type: form?.['type'] ?? type,
      filtered: user !== '' || type !== '',
      events: await Promise.all(events.map(eventsShown(domain))),
      next: nextOf(ctx, next, { ...(user && { user }), ...(type && { type }) }),
    });
  },
  decisions: {
    // By a form that is posted, so that no address of anybody's stands in a URL.
    async filter(_ctx, _me, form) {
      const [who, type] = [text(form['user']).trim(), text(form['type']).trim()];
      // Whoever is removed has no address any more; what happened to them is kept under their id.
      const isId = who.startsWith('usr_') && !who.includes('@');
      const user = who === '' || isId ? who : (await domain.accounts.byEmail(who))?.id;
      if (user === undefined) return { error: 'user_unknown', status: 404 };
      const query = new URLSearchParams({ ...(user && { user }), ...(type && { type }) });
      return { to: `events?${query}` };
    },
  },
});
