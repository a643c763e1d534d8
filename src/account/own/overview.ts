import type { OwnPage, OwnRoom } from './own.ts';

/** What there is to see and to do, on one page. */
export const overviewPage = ({ domain, upstreamLinks, pages }: OwnRoom): OwnPage => ({
  name: '',
  async show(ctx, { person }, frame) {
    const [factors, sessions, applications] = await Promise.all([
      domain.factors.list(person.id),
      domain.signIns.count(person.id),
      domain.consents.allForAccount(person.id),
    ]);
    pages.show(ctx, 'account', {
      ...frame,
      hasPassword: person.passwordHash !== undefined,
      operator: person.admin,
      factors: factors.filter(({ kind }) => kind !== 'recovery').length,
      sessions,
      applications: applications.length,
      linked: upstreamLinks.offered().length > 0 ? (await upstreamLinks.list(person.id)).length : undefined,
    });
  },
});
