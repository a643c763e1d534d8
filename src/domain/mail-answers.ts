import type { Change, LinkPurpose } from '../store/index.ts';
import type { Person } from './account-changes.ts';
import type { Accounts } from './accounts.ts';
import type { Audit } from './audit.ts';
import { type LetterName, type Letters, localeOf } from './letters.ts';
import { LINK_LIFETIME, type Links } from './links.ts';
import type { MailRequest } from './mail-requests.ts';

type Wanted = MailRequest['wanted'];
/** `owner` has the address. */
type Answer = (request: MailRequest, owner: Person | undefined) => Promise<readonly Change[]>;

interface Options {
  readonly accounts: Accounts;
  readonly links: Links;
  readonly letters: Letters;
  readonly audit: Audit;
}

/** What is mailed for a request, once it is known whose address it is. Only who reads the mailbox learns that. */
export function createMailAnswers({ accounts, links, letters, audit }: Options) {
  async function link(
    purpose: LinkPurpose & LetterName,
    { email, locale, origin }: MailRequest,
    person?: Person,
  ): Promise<readonly Change[]> {
    const { secret, changes } = await links.issue({ purpose, person, email, origin });
    const href = letters.linkTo(purpose, secret, locale);
    return [
      ...changes,
      letters.send({ name: purpose, to: email, locale, link: href, goodFor: LINK_LIFETIME }, person?.id),
    ];
  }

  const alreadyTheirs = ({ email }: Person, { locale }: MailRequest): Change =>
    letters.send({ name: 'already-signed-up', to: email, locale, link: letters.pageAt('/account/forgot') });

  const answers: Readonly<Record<Wanted, Answer>> = {
    'sign-up': async (request, owner) => (owner ? [alreadyTheirs(owner, request)] : link('sign-up', request)),

    'reset-password': async (request, owner) =>
      owner
        ? [
            audit.record('account.reset_asked', { accountId: owner.id }),
            // To the address as it is kept, not as somebody spelt it.
            ...(await link('reset-password', { ...request, email: owner.email }, owner)),
          ]
        : [],

    async 'change-email'(request, owner) {
      const person = await asking(request);
      // Another spelling of their own address is another address.
      if (!person || person.email === request.email) return [];
      return [
        audit.record('account.email_change_asked', { accountId: person.id }),
        letters.send(
          {
            name: 'change-email-asked',
            to: person.email,
            locale: localeOf(person.locale, request.locale),
            link: letters.pageAt('/account/forgot'),
          },
          person.id,
        ),
        ...(owner && owner.id !== person.id
          ? [alreadyTheirs(owner, request)]
          : await link('change-email', request, person)),
      ];
    },

    async 'verify-email'(request, owner) {
      const person = await asking(request);
      return person && owner?.id === person.id ? link('verify-email', request, person) : [];
    },
  };

  async function asking(request: MailRequest): Promise<Person | undefined> {
    const person = 'accountId' in request ? await accounts.get(request.accountId) : undefined;
    if (!person || person.disabled) return undefined;
    return 'epoch' in request && request.epoch === person.epoch ? person : undefined;
  }

  /** What follows from the request, to be committed with its end. Who may not sign in gets no mail. */
  return async (request: MailRequest): Promise<readonly Change[]> => {
    const owner = await accounts.byEmail(request.email);
    return owner?.disabled ? [] : answers[request.wanted](request, owner);
  };
}
