import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import test from 'ava';
import { supportedLocales } from '../../src/words/index.ts';
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

test('the views hold no words of their own', async (t) => {
  for (const file of readdirSync(VIEWS, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.eta'),
  )) {
    const source = await readFile(new URL(file, VIEWS), 'utf8');
    const text = source.replace(/<%[\s\S]*?%>|<style>[\s\S]*?<\/style>/g, '').replace(/<[^>]*>/g, '');
    t.notRegex(text, /\p{L}/u, file);
  }
});
