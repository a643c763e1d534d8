import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import type { Letter } from '../domain/index.ts';
import { directionOf, isMessageKey, type Locale, lengthOf, type MessageKey, message, plain } from '../words/index.ts';
import { type Picture, pictureOf } from './logo.ts';
import type { Address, Message } from './message.ts';

/** The operator's look, as far as mails have it. */
export interface Look {
  readonly name: string;
  /** Colours as `#rrggbb`. */
  readonly colours: {
    readonly surface: string;
    readonly onSurface: string;
    readonly inkLight: string;
    readonly inkDark: string;
  };
  /** The logo file; Postern's own mark where there is none. */
  readonly logo?: { readonly type: string; readonly body: Buffer } | undefined;
}

interface Options {
  readonly look: Look;
  readonly sender: Address;
  /** The issuer's host: the right side of every Message-ID. */
  readonly hostname: string;
}

const FOLDER = fileURLToPath(new URL('../../views/mail/', import.meta.url));

/** Writes a letter as a message with two bodies that say the same, in the language of who reads it. */
export function createComposer({ look, sender, hostname }: Options) {
  const html = new Eta({ views: FOLDER, cache: true, autoEscape: true });
  const text = new Eta({ views: FOLDER, cache: true, autoEscape: false, autoTrim: false });
  const picture: Picture | undefined = pictureOf(look);

  return (letter: Letter, reference: string): Message => {
    const said = words(letter, look.name);
    const page = { ...said, look, picture, lang: letter.locale, dir: directionOf(letter.locale) };
    return {
      // The same at each attempt: whoever gets it twice can tell.
      messageId: `<${reference}@${hostname}>`,
      from: { ...sender },
      to: { name: '', address: letter.to },
      envelope: { from: sender.address, to: [letter.to] },
      subject: said.subject,
      // Branches that were not taken leave blank lines.
      text: `${text
        .render('text', page)
        .replaceAll(/\n{3,}/g, '\n\n')
        .trim()}\n`,
      html: html.render('html', page),
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      attachments: picture
        ? [
            {
              filename: picture.filename,
              content: picture.body,
              contentType: picture.type,
              contentDisposition: 'inline',
              cid: picture.cid,
            },
          ]
        : [],
      disableFileAccess: true,
      disableUrlAccess: true,
    };
  };
}

/** What a letter says, in the order in which it is read. */
function words({ name, locale, link, code, goodFor }: Letter, brandName: string) {
  const t = (key: MessageKey, values = {}) => message(locale, key, { brand: brandName, ...values });
  const own = (part: string): string | undefined => {
    const key = `mail.${name}.${part}`;
    return isMessageKey(key) ? t(key) : undefined;
  };
  const once = code === undefined ? 'mail.link.once' : 'mail.code.once';
  return {
    subject: own('subject') ?? plain(brandName),
    lead: own('lead'),
    code,
    action:
      link === undefined ? undefined : { href: link, label: own('action') ?? link, otherwise: t('mail.link.else') },
    once: goodFor === undefined ? undefined : t(once, { time: lengthOf(locale as Locale, goodFor) }),
    note: own('note'),
    brand: plain(brandName),
    from: t('mail.from'),
  };
}
