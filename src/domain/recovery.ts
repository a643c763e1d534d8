import { type Clock, Refusal } from '../lib/index.ts';
import type { Account, Change, Link, Store } from '../store/index.ts';
import type { Locale } from '../words/index.ts';
import type { AccountChanges, Person } from './account-changes.ts';
import type { Accounts } from './accounts.ts';
import type { Audit } from './audit.ts';
import { parseEmail } from './email.ts';
import { type Letters, localeOf } from './letters.ts';
import { LINK_LIFETIME, type Links } from './links.ts';

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly changes: AccountChanges;
  readonly letters: Letters;
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly links: Links;
}

/** What the links do that prove somebody reads a mailbox. Of any number of uses of one, one happens. */
export function createRecovery({ store, now, changes, accounts, audit, letters, links }: Options) {
  /** @throws Refusal `link_gone` */
  async function personOf(purpose: 'reset-password' | 'verify-email' | 'change-email', secret: string) {
    const link = await links.read(purpose, secret);
    return { link, id: link.accountId ?? '' };
  }

  return {
    /**
     * Mails somebody the link that they could have asked for on the sign-in page, and gives it to whoever does so for them, by whom
     * it may come to somebody who does not read that mailbox. Until they use it all stays as it is. It is counted nowhere: an operator cannot use up what strangers may ask for.
     * @param locale of the mail; the person's own unless said
     * @throws Refusal `user_disabled`
     */
    async sendPasswordLink(person: Person, locale = localeOf(person.locale)) {
      const { id, email, disabled } = person;
      if (disabled) throw new Refusal('user_disabled', `${email} is disabled: enable them first`);
      const { secret, changes } = await links.issue({ purpose: 'reset-password', person, email, handed: true });
      const link = letters.linkTo('reset-password', secret, locale);
      await store.commit([
        ...changes,
        audit.record('account.reset_asked', { accountId: id }),
        letters.send({ name: 'password-link', to: email, locale, link, goodFor: LINK_LIFETIME }, id),
      ]);
      return { link, expiresAt: now() + LINK_LIFETIME };
    },

    /**
     * A new password for who reads the mailbox, or was handed the link. It ends every session and token; second factors stay, and are asked for
     * at the next sign-in.
     * @param locale the language in which they chose it.
     * @param form as in {@link Links.spend}
     * @throws Refusal `link_gone`, and what a password is refused with
     */
    async resetPassword(
      secret: string,
      password: string,
      locale?: Locale,
      form?: string,
    ): Promise<{ person: Person; link: Link }> {
      const { link, id } = await personOf('reset-password', secret);
      const also = async () => [
        ...(await links.spend('reset-password', secret, form)),
        audit.record('account.password_reset', { accountId: id }),
      ];
      const emailVerified = link.handed ? undefined : true;
      const how = { emailVerified, mailed: true, locale, also } as const;
      return { person: await accounts.setPassword(id, password, how), link };
    },

    /** @throws Refusal `link_gone` */
    async verifyEmail(secret: string, form?: string): Promise<Link> {
      const { id, link } = await personOf('verify-email', secret);
      await changes.change(id, 'account.email_verified', () => ({ emailVerified: true }), {
        also: () => links.spend('verify-email', secret, form),
      });
      return link;
    },

    /**
     * The person has another address from now on, and the old one is told. What was mailed there is good for nothing.
     * @param locale the language in which it was confirmed.
     * @throws Refusal `link_gone`, `email_taken` where somebody else took the address meanwhile
     */
    async changeEmail(secret: string, locale?: Locale, form?: string): Promise<Link> {
      const { id, link } = await personOf('change-email', secret);
      const { email } = parseEmail(link.email ?? '');
      const told = (before: Account): Change =>
        letters.send({ name: 'email-changed', to: before.email, locale: localeOf(before.locale, locale) }, id);
      const alter = ({ epoch }: Account) => ({ email, emailVerified: true, epoch: epoch + 1 });
      await changes.change(id, 'account.email_changed', alter, {
        also: async (before) => [
          told(before),
          ...(await changes.handOver(id, before.email, email)),
          ...(await links.spend('change-email', secret, form)),
        ],
      });
      return link;
    },
  };
}
