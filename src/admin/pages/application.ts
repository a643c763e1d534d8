import { OWN_CLIENT, oldSecrets, type RegisteredClient } from '../../domain/index.ts';
import { perform } from '../../operations/index.ts';
import { secretOnce } from './application-secret.ts';
import { changed, termsIn, termsOf, termsShown } from './application-terms.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';
import { merged, seenOf } from './seen.ts';

/** How long an old secret may be kept, in seconds. */
export const KEEP = ['0', '3600', '86400', '604800'] as const;

/** One that was registered; the server's own pages are none that can be looked after. */
export async function registered(
  { domain }: Pick<OperatorRoom, 'domain'>,
  id: string,
): Promise<RegisteredClient | undefined> {
  return id === OWN_CLIENT ? undefined : domain.clients.get(id);
}

/** One application: what is known of it, its terms to be changed, its secret. */
export function applicationPage(room: OperatorRoom): OperatorPage {
  const { domain, pages, now } = room;
  return {
    name: 'applications/:id',
    async show(ctx, _me, frame, form) {
      const client = await registered(room, ctx['params'].id);
      if (!client) return pages.show(ctx, 'not-found', {}, 404);
      const { id, name, type, grantTypes, tokenEndpointAuthMethod, registration, createdAt, updatedAt } = client;
      // A form of another button holds none of the terms.
      const known = termsOf(client);
      const terms = form?.['decision'] === 'save' ? merged(termsIn(form), known, form['seen']).fields : known;
      pages.show(ctx, 'admin-application', {
        ...frame,
        id,
        name,
        type,
        grants: grantTypes,
        authMethod: tokenEndpointAuthMethod,
        logout: client.backchannelLogout?.uri,
        acrValues: client.acrValues ?? [],
        registration: registration && { vouched: registration.vouched === true },
        oldSecretsUntil: oldSecrets(client).flatMap(({ until }) => (until > now() ? [until] : [])),
        createdAt,
        updatedAt,
        seen: seenOf(known),
        terms: await termsShown(domain, terms),
        keep: KEEP,
      });
    },
    decisions: {
      async save(ctx, _me, form) {
        const client = await registered(room, ctx['params'].id);
        if (!client) return { error: 'client_unknown' };
        const { fields, clash } = merged(termsIn(form), termsOf(client), form['seen']);
        if (clash) return { error: 'conflict' };
        const terms = changed(fields, termsOf(client));
        const asSeen = ({ updatedAt }: RegisteredClient) => updatedAt === client.updatedAt;
        if (Object.keys(terms).length > 0)
          await perform(domain, 'client.update', { client_id: client.id, ...terms }, { asSeen });
        return { to: `applications/${client.id}`, done: 'application_saved' };
      },
      async rotate(ctx, _me, form) {
        const keep = KEEP.find((seconds) => seconds === form['keep']);
        if (keep === undefined) return { error: 'time_invalid' };
        const args = { client_id: ctx['params'].id, ...(keep !== '0' && { keep_old_for: Number(keep) }) };
        // Sent once more, by reloading what it was answered, or by two at one moment, it would take away the secret that was
        // just passed on.
        const asSeen = ({ updatedAt }: RegisteredClient) => form['seen'] === String(updatedAt);
        const rotated = await perform(domain, 'client.rotate-secret', args, { asSeen });
        return secretOnce(rotated as Parameters<typeof secretOnce>[0], 'application_saved');
      },
      async vouch(ctx, _me, form) {
        const { id } = ctx['params'];
        // It says itself who it is: whoever it became since it was looked at, nobody vouches for.
        const asSeen = (client: RegisteredClient) => form['seen'] === seenOf(termsOf(client));
        await perform(domain, 'client.update', { client_id: id, vouched: true }, { asSeen });
        return { to: `applications/${id}`, done: 'vouched' };
      },
      async unvouch(ctx) {
        const { id } = ctx['params'];
        await perform(domain, 'client.update', { client_id: id, vouched: false });
        return { to: `applications/${id}`, done: 'unvouched' };
      },
    },
  };
}
