import type { Settings } from '../config/index.ts';
import { type Clock, hours, Refusal } from '../lib/index.ts';
import type { Store } from '../store/index.ts';
import type { Locale } from '../words/index.ts';
import { bucketOf, createCounters } from './counters.ts';
import type { Deliveries } from './deliveries.ts';
import { parseEmail } from './email.ts';
import type { Origin } from './links.ts';
import { networkOf } from './networks.ts';

/** Somebody wants a mail to an address; nobody looked yet whether anybody has it. */
export type MailRequest = {
  readonly email: string;
  readonly locale: Locale;
  readonly origin?: Origin;
} & (
  | { readonly wanted: 'sign-up' | 'reset-password' }
  /** A person who is signed in: wants this address for theirs, or to show that theirs is. In a later epoch nobody wants it. */
  | { readonly wanted: 'change-email' | 'verify-email'; readonly accountId: string; readonly epoch: number }
);

const WINDOW = hours(1);

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly settings: Pick<Settings, 'mail' | 'sign_up'>;
  readonly deliveries: Deliveries;
}

/**
 * Mails that anybody can ask for by an address. Asking is the same work whoever has the address: it is counted and
 * written down, in one commit. Whom it belongs to is looked up by the courier (mail-answers.ts), where nobody can watch.
 */
export function createMailRequests({ store, now, settings, deliveries }: Options) {
  const counters = createCounters({ store, now });
  return {
    /**
     * @param address the IP address it comes from, as the edge believes it.
     * @returns in how many seconds to try again, where too many were asked for; undefined where it was taken.
     * @throws Refusal `email_invalid`, `sign_up_closed`
     */
    async ask(request: MailRequest, address: string): Promise<number | undefined> {
      if (request.wanted === 'sign-up' && settings.sign_up !== 'open')
        throw new Refusal('sign_up_closed', 'nobody can sign up here by themselves');
      const { email, key } = parseEmail(request.email);
      const { wait } = await counters.take(
        [
          bucketOf('mails to an address', key, settings.mail.per_address, WINDOW),
          bucketOf('mails from a network', networkOf(address), settings.mail.per_network, WINDOW),
        ],
        [deliveries.enqueue('request', { ...request, email })],
      );
      return wait;
    },
  };
}
