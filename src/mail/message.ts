import type { SendMailOptions } from 'nodemailer';

/** A message as nodemailer takes it: addresses are objects, so that no text of ours is read as a header. */
export type Message = SendMailOptions & { readonly messageId: string };

export interface About {
  readonly name: string;
  readonly reference: string;
  /** Nobody waits any more. */
  readonly signal: AbortSignal;
}

/** One way a message can take. It rejects where the message did not arrive. */
export type Sender = (message: Message, about: About) => Promise<void>;

export interface Address {
  readonly name: string;
  readonly address: string;
}

/** `Name <address>`, or an address alone, which then goes by `name`. */
export function senderOf(text: string, name: string): Address {
  const [, own, address] = /^(.+) <([^<>]+)>$/.exec(text) ?? [];
  return own && address ? { name: own, address } : { name, address: text };
}
