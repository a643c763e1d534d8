import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import test from 'ava';
import { atDate, supportedLocales } from '../../src/words/index.ts';
import en from '../../views/messages/en.json' with { type: 'json' };

const FOLDER = new URL('../../views/messages/', import.meta.url);
const VIEWS = new URL('../../views/', import.meta.url);

const read = async (locale: string): Promise<Record<string, string>> =>
  JSON.parse(await readFile(new URL(`${locale}.json`, FOLDER), 'utf8'));

const placeholders = (text: string | undefined) => (text?.match(/\{\w+\}/g) ?? []).toSorted();

test('every message file is a supported language, and every supported language has one', (t) => {
  t.deepEqual(readdirSync(FOLDER).toSorted(), supportedLocales.map((locale) => `${locale}.json`).toSorted());
});

for (const locale of supportedLocales) {
  test(`${locale} has every message, no other, and the same placeholders`, async (t) => {
    const messages = await read(locale);
    t.deepEqual(Object.keys(messages), Object.keys(en));
    for (const [key, text] of Object.entries(en)) {
      t.truthy(messages[key]?.trim(), key);
      t.deepEqual(placeholders(messages[key]), placeholders(text), key);
      t.notRegex(messages[key] ?? '', /[<>]/, `${key} holds no markup`);
    }
  });
}

test('a page of a thousand dates does not make a thousand times what writes them', (t) => {
  const { DateTimeFormat } = Intl;
  let made = 0;
  Intl.DateTimeFormat = new Proxy(DateTimeFormat, {
    construct(target, args) {
      made += 1;
      return Reflect.construct(target, args);
    },
  });
  try {
    const dates = supportedLocales.map((locale) =>
      Array.from({ length: 1000 }, (_, n) => atDate(locale, n * 86_400_000)),
    );
    t.is(new Set(dates.flat()).size, 1000 * supportedLocales.length);
  } finally {
    Intl.DateTimeFormat = DateTimeFormat;
  }
  t.true(made <= supportedLocales.length);
});

test('the views hold no words of their own', async (t) => {
  for (const file of readdirSync(VIEWS, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.eta'),
  )) {
    const source = await readFile(new URL(file, VIEWS), 'utf8');
    const text = source.replace(/<%[\s\S]*?%>|<style>[\s\S]*?<\/style>/g, '').replace(/<[^>]*>/g, '');
    t.notRegex(text, /\p{L}/u, file);
  }
});

/** What the page of somebody's events leaves out: it is about applications or the operator, or says nothing to people. */
const NOT_TOLD =
  /^(accounts\.imported|account\.(password_adopted|password_rehashed|removed)|client\.|registration\.|resource\.|upstream\.|delivery\.|key\.|keys\.|store\.)/;

test('every event that is recorded has words for operators, and one of an account for the page of its events', async (t) => {
  const SRC = new URL('../../src/', import.meta.url);
  const found = new Set<string>();
  for (const file of readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))) {
    const source = await readFile(new URL(file, SRC), 'utf8');
    for (const [, type] of source.matchAll(
      /(?:\brecord|auditEvent|\bchange)\(\s*(?:[\w.()]+,\s*)?'([a-z_]+\.[a-z_]+)'/g,
    ))
      found.add(type!);
  }
  t.true(found.size > 20);
  for (const type of found)
    t.true(`account.event.${type}` in en || (NOT_TOLD.test(type) && `admin.event.${type}` in en), type);
});
