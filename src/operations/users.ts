import { z } from 'zod';
import type { Domain, Person } from '../domain/index.ts';
import { iso, Refusal } from '../lib/index.ts';
import type { Page } from '../store/index.ts';
import { matchLocale, supportedLocales } from '../words/index.ts';
import { everyPage, onePage, operation, pageOf } from './operation.ts';
import { factorJson, factorShape, moment, text, userJson, userShape } from './shapes.ts';

export const one = z.strictObject({ user: text.describe('an e-mail address or an id') });
const gone = z.strictObject({ id: z.string(), email: z.string() });

/** @throws Refusal `user_unknown` */
export async function named(domain: Domain, user: string): Promise<Person> {
  const found = (await domain.accounts.get(user)) ?? (await domain.accounts.byEmail(user));
  if (!found) throw new Refusal('user_unknown', `there is no person ${JSON.stringify(user.slice(0, 80))}`);
  return found;
}

const mailed = userShape.extend({
  link: z.string().describe('what was mailed to them'),
  expires_at: moment.nullable(),
});

/** @throws Refusal `language_unknown` */
function localeNamed(language: string) {
  const locale = matchLocale([language]);
  if (!locale)
    throw new Refusal('language_unknown', `mails are written in ${supportedLocales.join(' and ')}, not ${language}`);
  return locale;
}

interface Looked extends Page {
  readonly search?: string | undefined;
}

async function listed({ accounts, directory }: Domain, { search, limit = 100, ...page }: Looked) {
  const { people: items, next = undefined } =
    search === undefined
      ? await accounts.list({ limit, ...page })
      : await directory.matching(search, { limit, ...page });
  return { items, next };
}

const search = text.optional().describe('those who have this in their names or addresses');

export const users = {
  'user.add': operation(
    z.strictObject({
      email: text,
      name: text.optional(),
      password: text.optional(),
      admin: z.boolean().optional(),
      email_verified: z.boolean().optional(),
    }),
    userShape,
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
    mailed.meta({ id: 'Invitation' }),
    async ({ joins }, { language, ...newcomer }) => {
      const { person, link, expiresAt } = await joins.invite({ ...newcomer, locale: localeNamed(language) });
      return { ...userJson(person), link, expires_at: iso(expiresAt) };
    },
  ),
  'user.list': operation(z.strictObject({ search }), z.array(userShape), async (domain, { search }) =>
    (await everyPage((page) => listed(domain, { ...page, search }))).map(userJson),
  ),
  'user.page': operation(
    onePage(/^usr_/).extend({
      email: text.optional().describe('the one whose address it is, or nobody; not beside `search`'),
      search,
    }),
    pageOf(userShape),
    async (domain, { email, search, after, limit }) => {
      if (email !== undefined && search !== undefined)
        throw new Refusal('arguments_invalid', 'one of email and search');
      if (email !== undefined) {
        const found = await domain.accounts.byEmail(email);
        return { items: found ? [userJson(found)] : [] };
      }
      const { items, next } = await listed(domain, { search, limit, ...(after !== undefined && { after }) });
      return { items: items.map(userJson), ...(next !== undefined && { next }) };
    },
  ),
  'user.show': operation(one, userShape, async (domain, { user }) => userJson(await named(domain, user))),
  'user.update': operation(
    one.extend({
      name: text.optional(),
      email: text.optional(),
      email_verified: z.boolean().optional(),
      admin: z.boolean().optional(),
      disabled: z.boolean().optional().describe('signs them out everywhere'),
    }),
    userShape,
    async (domain, { user, email_verified: emailVerified, ...correction }, asking) => {
      const { id } = await named(domain, user);
      return userJson(await domain.accounts.update(id, { ...correction, emailVerified }, asking));
    },
  ),
  'user.sign-out': operation(one, userShape, async (domain, { user }) =>
    userJson(await domain.accounts.signOut((await named(domain, user)).id)),
  ),
  'user.disable': operation(one, userShape, async (domain, { user }, asking) =>
    userJson(await domain.accounts.setDisabled((await named(domain, user)).id, true, asking)),
  ),
  'user.enable': operation(one, userShape, async (domain, { user }) =>
    userJson(await domain.accounts.setDisabled((await named(domain, user)).id, false)),
  ),
  'user.password': operation(one.extend({ password: text }), userShape, async (domain, { user, password }) =>
    userJson(await domain.accounts.setPassword((await named(domain, user)).id, password)),
  ),
  'user.password-reset': operation(
    one.extend({ language: text.optional().describe('of the mail; theirs unless said') }),
    mailed.meta({ id: 'PasswordReset' }),
    async (domain, { user, language }) => {
      const person = await named(domain, user);
      const locale = language === undefined ? undefined : localeNamed(language);
      const { link, expiresAt } = await domain.recovery.sendPasswordLink(person, locale);
      return { ...userJson(person), link, expires_at: iso(expiresAt) };
    },
  ),
  'user.factors': operation(one, z.array(factorShape), async (domain, { user }) =>
    (await domain.factors.list((await named(domain, user)).id)).map(factorJson),
  ),
  'user.reset-factors': operation(one, gone.extend({ removed: z.array(z.string()) }), async (domain, { user }) => {
    const { id, email } = await named(domain, user);
    return { id, email, removed: await domain.factors.reset(id) };
  }),
  'user.remove': operation(one, gone.extend({ removed: z.literal(true) }), async (domain, { user }, asking) => {
    const { id, email } = await named(domain, user);
    await domain.accounts.remove(id, asking);
    return { id, email, removed: true } as const;
  }),
};
