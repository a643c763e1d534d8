/**
 * mail: how mails are written and sent: words and views in, a message at the mail server or in the outbox folder out.
 *
 * It owns the form of a mail and the way it takes. Which mail is sent to whom, why and when the domain says
 * (domain/letters.ts, deliveries.ts); it reads no store and answers no request. What it throws is tried again by the
 * courier; {@link Undeliverable} is not.
 */
import type { Handler } from '../domain/index.ts';
import type { Logger } from '../lib/index.ts';
import { createComposer, type Look } from './compose.ts';
import { type Sender, senderOf } from './message.ts';
import { outbox } from './outbox.ts';
import { smtp } from './smtp.ts';

interface Options {
  readonly settings: {
    readonly issuer: string;
    readonly data: string;
    readonly smtp_url?: string | undefined;
    readonly mail: { readonly from?: string | undefined };
  };
  readonly look: Look;
  readonly log: Logger;
}

/** Writes and sends one letter: the courier's handler for mails. */
export function mailHandler({ settings, look, log }: Options): Handler<'mail'> {
  const { hostname } = new URL(settings.issuer);
  const sender = senderOf(settings.mail.from ?? `no-reply@${hostname}`, look.name);
  const compose = createComposer({ look, sender, hostname });
  const send: Sender = settings.smtp_url
    ? smtp({ url: settings.smtp_url, hostname })
    : outbox({ folder: `${settings.data}/outbox`, log });
  return async (letter, { reference, signal }) => {
    await send(compose(letter, reference), { name: letter.name, reference, signal });
    if (settings.smtp_url) log.info({ mail: letter.name, reference }, 'a mail was sent');
    return undefined;
  };
}
