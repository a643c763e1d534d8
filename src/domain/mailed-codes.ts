import type { Settings } from '../config/index.ts';
import { type Clock, hours } from '../lib/index.ts';
import type { Store } from '../store/index.ts';
import type { Locale } from '../words/index.ts';
import type { Person } from './account-changes.ts';
import type { Audit } from './audit.ts';
import { CODE_LIFETIME, type Codes } from './codes.ts';
import { bucketOf, createCounters } from './counters.ts';
import type { Letters } from './letters.ts';
import { networkOf } from './networks.ts';

/** Where somebody is signing in. */
interface SigningIn {
  readonly person: Person;
  readonly interaction: string;
}

export type MailedCodes = ReturnType<typeof createMailedCodes>;

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly settings: Pick<Settings, 'mail'>;
  readonly audit: Audit;
  readonly codes: Codes;
  readonly letters: Letters;
}

const WINDOW = hours(1);

/** Codes to the mailbox of somebody who is signing in and has proven their password. */
export function createMailedCodes({ store, now, settings, audit, codes, letters }: Options) {
  const counters = createCounters({ store, now });
  return {
    /**
     * Mails one, and ends the one before. Counted by itself: whoever has every password link of an hour sent to an address
     * keeps its owner from nothing here.
     * @param address the IP address it is asked for from, as the edge believes it
     * @returns in how many seconds to try again, where too many were asked for; undefined where it is sent
     */
    async send({ person, interaction }: SigningIn, locale: Locale, address: string): Promise<number | undefined> {
      const { id, email } = person;
      const { code, change } = codes.issue({ person, interaction });
      const { wait } = await counters.take(
        [
          bucketOf('codes to a person', id, settings.mail.per_address, WINDOW),
          bucketOf('mails from a network', networkOf(address), settings.mail.per_network, WINDOW),
        ],
        [
          change,
          letters.send({ name: 'email-code', to: email, locale, code, goodFor: CODE_LIFETIME }, id),
          audit.record('email_code.sent', { accountId: id }),
        ],
      );
      return wait;
    },

    /** Whether one is on its way that is still good. */
    isOut: (use: SigningIn): Promise<boolean> => codes.isOut(use),

    /** Whether it was the code; it is not any more. */
    redeem: ({ person, interaction }: SigningIn, typed: string): Promise<boolean> =>
      codes.redeem({ person, interaction }, typed, async () => [
        audit.record('email_code.used', { accountId: person.id }),
      ]),
  };
}
