import type { OperatorPage, OperatorRoom } from './operator.ts';

/** What there is to look after, and what wants looking at. */
export const overviewPage = ({ domain, settings, pages }: OperatorRoom): OperatorPage => ({
  name: '',
  async show(ctx, { person }, frame) {
    pages.show(ctx, 'admin', {
      ...frame,
      mailed: settings.smtp_url !== undefined,
      secondStep: await domain.factors.hasSecond(person.id),
    });
  },
});
