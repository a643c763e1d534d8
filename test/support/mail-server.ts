import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { seconds } from '../../src/lib/index.ts';

export interface ReceivedMail extends Email {
  /** Whom the envelope names, which alone decides where it goes. */
  readonly recipients: readonly string[];
  readonly raw: string;
  /** The first address of ours in it. */
  readonly link: URL | undefined;
}

export interface MailServer {
  readonly url: string;
  readonly mails: readonly ReceivedMail[];
  /** The next mail to this address that nobody asked for yet; waits for it. */
  next(to: string): Promise<ReceivedMail>;
  close(): Promise<void>;
}

/** However busy the machine is. */
const PATIENCE = seconds(60);

/** A real mail server on a free port of loopback, that keeps what it gets. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const taken = new Set<ReceivedMail>();
  const arrived = new EventTarget();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    async onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of stream) chunks.push(chunk as Buffer);
      } catch {
        // Its sender ended in the middle of it: it is no mail, and comes again.
        return;
      }
      const raw = Buffer.concat(chunks).toString();
      const email = await PostalMime.parse(raw);
      const recipients = session.envelope.rcptTo.map(({ address }) => address);
      mails.push({ ...email, recipients, raw, link: linkIn(email) });
      arrived.dispatchEvent(new Event('mail'));
      callback();
    },
    ...options,
  });
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    async next(to) {
      const deadline = AbortSignal.timeout(PATIENCE);
      for (;;) {
        const found = mails.find((mail) => !taken.has(mail) && mail.recipients.includes(to));
        if (found) {
          taken.add(found);
          return found;
        }
        await once(arrived, 'mail', { signal: deadline });
      }
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** The address in the text of a mail. */
export function linkIn({ text }: Pick<Email, 'text'>): URL | undefined {
  const found = /https?:\/\/\S+/.exec(text ?? '')?.[0];
  return found === undefined ? undefined : new URL(found);
}
