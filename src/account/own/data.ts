import { emailKey } from '../../domain/index.ts';
import { Refusal } from '../../lib/index.ts';
import type { OwnPage, OwnRoom } from './own.ts';

/** Taking one's data along, and leaving (GDPR, articles 20 and 17). */
export const dataPage = ({ domain, pages }: OwnRoom): OwnPage => ({
  name: 'data',
  sensitive: true,
  show: async (ctx, _me, frame) => pages.show(ctx, 'account-data', frame),
  decisions: {
    async delete(_ctx, { person }, form) {
      if (emailKey(form['email'] ?? '') !== emailKey(person.email)) return { error: 'email_other' };
      try {
        await domain.accounts.remove(person.id);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.code === 'last_operator') return { error: 'last_operator', status: 409 };
        // Another click was first: it is what was wanted.
        if (error.code !== 'user_unknown') throw error;
      }
      return { to: 'deleted' };
    },
  },
});

const day = (at: number | undefined): string | undefined => (at === undefined ? undefined : new Date(at).toISOString());

/** Everything that is kept about somebody as a file, but for what would prove to be them. */
export const exportPage = ({ domain }: OwnRoom): OwnPage => ({
  name: 'export',
  sensitive: true,
  offeredBy: 'data',
  async show(ctx, { person }) {
    const { id, email, emailVerified, name, locale, admin, createdAt, updatedAt } = person;
    const [factors, linked, consents, { signIns }, events] = await Promise.all([
      domain.factors.list(id),
      domain.identities.listForAccount(id),
      domain.consents.allForAccount(id),
      domain.signIns.list(id),
      domain.audit.allForAccount(id),
    ]);
    const about = {
      account: { id, email, emailVerified, name, locale, admin, createdAt: day(createdAt), updatedAt: day(updatedAt) },
      factors: factors.map(({ kind, name: called, createdAt: since, lastUsedAt }) => ({
        kind,
        name: called,
        createdAt: day(since),
        lastUsedAt: day(lastUsedAt),
      })),
      linked: linked.map(({ upstream, subject, label, createdAt: since, lastUsedAt }) => ({
        upstream,
        subject,
        label,
        createdAt: day(since),
        lastUsedAt: day(lastUsedAt),
      })),
      applications: consents.map(({ clientId, scopes, resources, createdAt: since, lastUsedAt }) => ({
        clientId,
        scopes,
        resources,
        createdAt: day(since),
        lastUsedAt: day(lastUsedAt),
      })),
      sessions: signIns.map(({ signedInAt, lastSeenAt, address, userAgent }) => ({
        signedInAt: day(signedInAt),
        lastSeenAt: day(lastSeenAt),
        address,
        userAgent,
      })),
      events: events.map(({ at, type, clientId, details }) => ({ at: day(at), type, clientId, details })),
    };
    ctx.attachment('account.json');
    ctx.type = 'json';
    ctx.body = `${JSON.stringify(about, undefined, 2)}\n`;
  },
});
