import { supportedLocales } from '../../words/index.ts';
import { invite } from './mailed-links.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';

/** Inviting somebody. */
export const newPersonPage = (room: OperatorRoom): OperatorPage => ({
  name: 'people/new',
  async show(ctx, _me, frame, { email = '', name = '', admin, language } = {}) {
    const { pages, settings } = room;
    pages.show(ctx, 'admin-person-new', {
      ...frame,
      email,
      name,
      admin: admin === 'yes',
      language: language ?? pages.localeOf(ctx),
      languages: supportedLocales,
      mailed: settings.smtp_url !== undefined,
    });
  },
  decisions: {
    invite: async (_ctx, _me, { email = '', name = '', admin, language = '' }) =>
      invite(room, {
        email: email.trim(),
        ...(name.trim() && { name: name.trim() }),
        ...(admin === 'yes' && { admin: true }),
        language,
      }),
  },
});
