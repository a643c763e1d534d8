import de from '../../views/messages/de.json' with { type: 'json' };
import en from '../../views/messages/en.json' with { type: 'json' };
import { type Duration, days, hours, minutes } from '../lib/index.ts';

/** Every text a person can read, by name. English is the measure; a language that lacks one does not compile. */
export type MessageKey = keyof typeof en;

/** A language is one row here and one file in `views/messages/`. The first is for whoever asked for none of ours. */
const languages = {
  en: { dir: 'ltr', messages: en },
  de: { dir: 'ltr', messages: de },
} as const satisfies Record<string, { dir: 'ltr' | 'rtl'; messages: Record<MessageKey, string> }>;

export type Locale = keyof typeof languages;

export const supportedLocales = Object.keys(languages) as readonly Locale[];

const FALLBACK: Locale = 'en';

export const directionOf = (locale: Locale): 'ltr' | 'rtl' => languages[locale].dir;

export const isMessageKey = (key: string): key is MessageKey => Object.hasOwn(en, key);

type Values = Readonly<Record<string, string>>;

/** A piece of a message: our own words, or a value that stands where `{name}` stood. */
export type MessagePart = { readonly text: string } | { readonly name: string; readonly value: string };

/** The message in pieces, so that a view can mark up the values without any message holding HTML. */
export function messageParts(locale: Locale, key: MessageKey, values: Values = {}): MessagePart[] {
  // A capturing group makes split() return text and placeholder names in turn.
  return languages[locale].messages[key]
    .split(/\{(\w+)\}/)
    .map((piece, i): MessagePart => (i % 2 ? { name: piece, value: plain(values[piece] ?? '') } : { text: piece }))
    .filter((part) => !('text' in part) || part.text);
}

/** The message as one text, for values of our own; a foreign one needs the markup of `partials/sentence` around it. */
export const message = (locale: Locale, key: MessageKey, values?: Values): string =>
  messageParts(locale, key, values)
    .map((part) => ('text' in part ? part.text : part.value))
    .join('');

/** A foreign text without the controls that could make it, or what is around it, read as something else. */
export const plain = (text: string): string =>
  text.replace(/[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, ' ');

export const inMinutes = (locale: Locale, wait: number): string =>
  new Intl.NumberFormat(locale, { style: 'unit', unit: 'minute', unitDisplay: 'long' }).format(
    Math.max(1, Math.ceil(wait)),
  );

/** Made once: each takes as long as writing a hundred dates, and a page may have thousands. */
const datesIn = new Map<Locale, Intl.DateTimeFormat>();

/** A moment (milliseconds) as a day and a time in UTC: whoever reads it may be anywhere. */
export function atDate(locale: Locale, at: number): string {
  let dates = datesIn.get(locale);
  if (!dates) {
    const style = { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC', hourCycle: 'h23' } as const;
    dates = new Intl.DateTimeFormat(locale, style);
    datesIn.set(locale, dates);
  }
  return `${dates.format(at)} UTC`;
}

/** The form of a message that fits a number: `<key>.zero` where there is one, else `<key>.one`, `<key>.other` (CLDR). */
export function counted(locale: Locale, key: string, n: number): string {
  const form = [n === 0 ? 'zero' : '', new Intl.PluralRules(locale).select(n), 'other']
    .map((rule) => `${key}.${rule}`)
    .find(isMessageKey);
  if (!form) throw new Error(`no message counts ${key}`);
  return message(locale, form, { n: new Intl.NumberFormat(locale).format(n) });
}

/** `30 minutes`, `7 days`: in the largest unit that tells it whole. */
export function lengthOf(locale: Locale, duration: Duration): string {
  const [unit, size] = UNITS.find(([, each]) => duration >= each && duration % each === 0) ?? UNITS.at(-1)!;
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 }).format(
    duration / size,
  );
}

const UNITS = [
  ['day', days(1)],
  ['hour', hours(1)],
  ['minute', minutes(1)],
] as const;

/** The first of `tags` (BCP 47, the person's order) whose language is ours. */
export function matchLocale(tags: readonly string[]): Locale | undefined {
  const asked = tags.map((tag) => tag.toLowerCase().split('-')[0]);
  return asked.flatMap((language) => supportedLocales.filter((ours) => ours === language))[0];
}

/** `ui_locales` of the request (OIDC Core §3.1.2.1) first, then what the browser asks for. */
export const pickLocale = (uiLocales: unknown, acceptLanguage: () => readonly string[]): Locale =>
  matchLocale(typeof uiLocales === 'string' ? uiLocales.split(' ') : []) ?? matchLocale(acceptLanguage()) ?? FALLBACK;
