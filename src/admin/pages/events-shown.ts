import { type Domain, OWN_CLIENT } from '../../domain/index.ts';
import type { AuditEvent } from '../../store/index.ts';

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** What else tells which. */
const ABOUT = ['uri', 'kid', 'name', 'address', 'upstream'] as const;

/** Events as a page tells them: whom each is about and whose doing it was, by their names where they are still here. */
export function eventsShown(domain: Pick<Domain, 'accounts' | 'clients'>) {
  const known = new Map<string, Promise<string | undefined>>();
  const nameOf = (id: string | undefined, read: (id: string) => Promise<string | undefined>) => {
    if (id === undefined) return undefined;
    const name = known.get(id) ?? read(id);
    known.set(id, name);
    return name;
  };
  const personNamed = async (id: string | undefined) => {
    const email = await nameOf(id, async (each) => (await domain.accounts.get(each))?.email);
    return id === undefined ? undefined : { id, email };
  };
  const clientNamed = async (id: string | undefined) => {
    const name = await nameOf(id, async (each) => (await domain.clients.get(each))?.name);
    const isHere = name !== undefined && id !== OWN_CLIENT;
    return id === undefined ? undefined : { id, name, address: isHere ? `/admin/applications/${id}` : undefined };
  };

  return async ({ at, type, accountId, clientId, details }: AuditEvent) => {
    const by = text(details['by']);
    const byClient = text(details['by_client']);
    return {
      at,
      type,
      person: await personNamed(accountId),
      client: await clientNamed(clientId),
      // An application that looks after itself is `itself`.
      by: await personNamed(by?.startsWith('usr_') ? by : undefined),
      byClient: await clientNamed(byClient),
      about: ABOUT.map((name) => text(details[name])).find(Boolean),
      changed: text(details['changed']),
      admin: details['admin'] === true,
    };
  };
}
