import type { Consent } from '../../store/index.ts';
import type { OwnPage, OwnRoom } from './own.ts';

/** What somebody allowed, and how to take it back. */
export function applicationsPage({ domain, pages }: OwnRoom): OwnPage {
  async function shown({ clientId, scopes, resources, createdAt, lastUsedAt }: Consent) {
    const client = await domain.clients.get(clientId);
    const apis = Object.entries(resources).map(async ([uri, words]) => ({
      name: await domain.resources.nameOf(uri),
      // OpenID Connect's scopes stand above, once.
      scopes: words.filter((word) => !scopes.includes(word)),
    }));
    return {
      id: clientId,
      name: client?.name ?? clientId,
      scopes,
      resources: (await Promise.all(apis)).filter((api) => api.scopes.length > 0),
      since: createdAt,
      lastUsedAt,
    };
  }

  return {
    name: 'applications',
    async show(ctx, { person }, frame) {
      const applications = await Promise.all((await domain.consents.allForAccount(person.id)).map(shown));
      pages.show(ctx, 'account-applications', {
        ...frame,
        applications: applications.toSorted((a, b) => a.name.localeCompare(b.name)),
      });
    },
    decisions: {
      async withdraw(_ctx, { person }, form) {
        const clientId = form['client'] ?? '';
        if (await domain.consents.find(person.id, clientId)) await domain.consents.withdraw(person.id, clientId);
        return { to: 'applications', done: 'withdrawn' };
      },
    },
  };
}
