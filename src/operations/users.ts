import { z } from 'zod';
import type { Domain, Person } from '../domain/index.ts';
import { Refusal } from '../lib/index.ts';
import { matchLocale, supportedLocales } from '../words/index.ts';
import { listing, operation } from './operation.ts';
import { factorJson, iso, text, userJson } from './shapes.ts';

/** An e-mail address or an id. */
const one = z.strictObject({ user: text });

/** @throws Refusal `user_unknown` */
export async function named(domain: Domain, user: string): Promise<Person> {
  const found = (await domain.accounts.get(user)) ?? (await domain.accounts.byEmail(user));
  if (!found) throw new Refusal('user_unknown', `there is no person ${JSON.stringify(user.slice(0, 80))}`);
  return found;
}

/** @throws Refusal `language_unknown` */
function localeNamed(language: string) {
  const locale = matchLocale([language]);
  if (!locale)
    throw new Refusal('language_unknown', `mails are written in ${supportedLocales.join(' and ')}, not ${language}`);
  return locale;
}

const listed = listing(async (domain, page) => {
  const { people: items, next } = await domain.accounts.list(page);
  return { items, next };
}, userJson);

export const users = {
  'user.add': operation(
    z.strictObject({
      email: text,
      name: text.optional(),
      password: text.optional(),
      admin: z.boolean().optional(),
      email_verified: z.boolean().optional(),
    }),
    async (domain, { email_verified: emailVerified, ...newcomer }) =>
      userJson(await domain.accounts.add({ ...newcomer, emailVerified })),
  ),
  'user.invite': operation(
    z.strictObject({
      email: text,
      name: text.optional(),
      admin: z.boolean().optional(),
      language: text.prefault('en'),
    }),
    async ({ joins }, { language, ...newcomer }) => {
      const { person, link, expiresAt } = await joins.invite({ ...newcomer, locale: localeNamed(language) });
      return { ...userJson(person), link, expires_at: iso(expiresAt) };
    },
  ),
  'user.list': listed.list,
  'user.page': listed.page,
  'user.show': operation(one, async (domain, { user }) => userJson(await named(domain, user))),
  'user.update': operation(
    z.strictObject({
      user: text,
      name: text.optional(),
      email: text.optional(),
      email_verified: z.boolean().optional(),
      admin: z.boolean().optional(),
    }),
    async (domain, { user, email_verified: emailVerified, ...correction }) =>
      userJson(await domain.accounts.update((await named(domain, user)).id, { ...correction, emailVerified })),
  ),
  'user.sign-out': operation(one, async (domain, { user }) =>
    userJson(await domain.accounts.signOut((await named(domain, user)).id)),
  ),
  'user.disable': operation(one, async (domain, { user }) =>
    userJson(await domain.accounts.setDisabled((await named(domain, user)).id, true)),
  ),
  'user.enable': operation(one, async (domain, { user }) =>
    userJson(await domain.accounts.setDisabled((await named(domain, user)).id, false)),
  ),
  'user.password': operation(one.extend({ password: text }), async (domain, { user, password }) =>
    userJson(await domain.accounts.setPassword((await named(domain, user)).id, password)),
  ),
  'user.factors': operation(one, async (domain, { user }) =>
    (await domain.factors.list((await named(domain, user)).id)).map(factorJson),
  ),
  'user.reset-factors': operation(one, async (domain, { user }) => {
    const { id, email } = await named(domain, user);
    return { id, email, removed: await domain.factors.reset(id) };
  }),
  'user.remove': operation(one, async (domain, { user }) => {
    const { id, email } = await named(domain, user);
    await domain.accounts.remove(id);
    return { id, email, removed: true };
  }),
};
