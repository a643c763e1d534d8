import { deviceName } from '../../domain/index.ts';
import { isMessageKey } from '../../words/index.ts';
import type { OwnPage, OwnRoom } from './own.ts';

const READ = 200;
const SHOWN = 50;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** What happened to the account lately, so that its owner sees what was not them. What says nothing to people is left out. */
export const eventsPage = ({ domain, pages }: OwnRoom): OwnPage => ({
  name: 'events',
  async show(ctx, { person }, frame) {
    const { events } = await domain.audit.listForAccount(person.id, { limit: READ });
    const told = events.filter(({ type }) => isMessageKey(`account.event.${type}`)).slice(0, SHOWN);
    const shown = told.map(async ({ at, type, clientId, details }) => {
      const client = clientId ? await domain.clients.get(clientId) : undefined;
      return {
        at,
        type,
        ...(client && { client: client.name }),
        ...deviceName(text(details['user_agent'])),
        address: text(details['address']),
      };
    });
    pages.show(ctx, 'account-events', { ...frame, events: await Promise.all(shown) });
  },
});
