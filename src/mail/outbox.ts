import { open, rename } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Logger, makeFolder } from '../lib/index.ts';
import type { Sender } from './message.ts';

interface Options {
  readonly folder: string;
  readonly log: Logger;
}

const AS_IT_IS = 'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit';

/**
 * Keeps every message as a file of the operator's, where there is no mail server: `2026-01-31T08-15-30.reset-password.….eml`,
 * mode 0600, for the links in it are as good as passwords.
 */
export function outbox({ folder, log }: Options): Sender {
  return async (message, { name, reference }) => {
    const { createTransport } = await import('nodemailer');
    const whole = createTransport({ streamTransport: true, buffer: true });
    // Unencoded, so that somebody who opens the file can copy the link.
    const readable = { ...message, text: { raw: `${AS_IT_IS}\r\n\r\n${message.text}` } };
    const { message: bytes } = await whole.sendMail(readable);
    makeFolder(folder);
    const moment = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
    // Dots, since the log takes a long run of letters, digits and hyphens for a secret.
    const path = resolve(folder, `${moment}.${name}.${reference.slice(0, 6)}.eml`);
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(bytes as Buffer);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    log.info({ mail: name, file: path }, 'there is no mail server (smtp_url): a mail was kept in a file');
  };
}
