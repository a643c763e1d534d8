import { type Clock, type Duration, Refusal } from '../lib/index.ts';
import type { Change, Link, LinkPurpose, Store } from '../store/index.ts';
import type { Locale } from '../words/index.ts';
import type { Person } from './account-changes.ts';
import type { Accounts } from './accounts.ts';
import type { Audit } from './audit.ts';
import type { Letters } from './letters.ts';
import type { Links } from './links.ts';

interface NewInvitation {
  readonly email: string;
  readonly name?: string | undefined;
  readonly admin?: boolean | undefined;
  readonly locale: Locale;
}

/** What somebody who joins says of themselves. */
interface Joining {
  readonly name?: string | undefined;
  readonly password: string;
  readonly locale: Locale;
}

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly links: Links;
  readonly letters: Letters;
  /** How long an invitation is good for. */
  readonly invitations: Duration;
}

/** How people come to an account: they ask for it and prove their address first, or an operator invites them. */
export function createJoins({ store, now, accounts, audit, links, letters, invitations }: Options) {
  /** Whom an invitation is for, where they are here already: they could never sign in. */
  async function known({ email, name, admin }: NewInvitation): Promise<Person | undefined> {
    const person = await accounts.byEmail(email);
    if (!person) return undefined;
    if (person.passwordHash !== undefined)
      throw new Refusal(
        'email_taken',
        `${person.email} has a password already, and can have it reset on the sign-in page`,
      );
    if (person.disabled) throw new Refusal('user_disabled', `${person.email} is disabled: enable them first`);
    if (name !== undefined || admin)
      throw new Refusal(
        'email_taken',
        `${person.email} is here already, and an invitation does not change who they are: invite them without a name or --admin`,
      );
    return person;
  }

  return {
    /**
     * Mails an invitation, and gives its link to whoever invites. Who is not here yet is added in the same commit.
     * @throws Refusal `email_invalid`, `email_taken`, `name_invalid`, `user_disabled`
     */
    async invite(invitation: NewInvitation): Promise<{ person: Person; link: string; expiresAt: number }> {
      const { locale } = invitation;
      let link = '';
      const mailing = async (person: Pick<Person, 'id' | 'email' | 'epoch'>): Promise<readonly Change[]> => {
        const { id, email } = person;
        const { secret, changes } = await links.issue({ purpose: 'invitation', person, email, lifetime: invitations });
        link = letters.linkTo('invitation', secret, locale);
        return [
          ...changes,
          audit.record('account.invited', { accountId: id }),
          letters.send({ name: 'invitation', to: email, locale, link, goodFor: invitations }, id),
        ];
      };
      const here = await known(invitation);
      if (here) await store.commit(await mailing(here));
      const person = here ?? (await accounts.add(invitation, mailing));
      return { person, link, expiresAt: now() + invitations };
    },

    /**
     * Takes the link of a mail: the address is proven, so the account is made, or opened, with this password.
     * @throws Refusal `link_gone`, `email_taken`, and what a name or a password is refused with
     */
    async join(
      purpose: Extract<LinkPurpose, 'sign-up' | 'invitation'>,
      secret: string,
      { name, password, locale }: Joining,
      form?: string,
    ): Promise<{ person: Person; link: Link }> {
      const link = await links.read(purpose, secret);
      const also = () => links.spend(purpose, secret, form);
      const { accountId, email = '' } = link;
      const person = accountId
        ? await accounts.setPassword(accountId, password, { name, locale, emailVerified: true, also })
        : await accounts.add({ email, name, password, locale, emailVerified: true }, also);
      return { person, link };
    },
  };
}
