import { readFileSync } from 'node:fs';
import test from 'ava';
import { configurationPage, effectiveSettings, readSettings, settingsJsonSchema } from '../../src/config/index.ts';
import { settingPaths } from '../../src/config/load.ts';

test('docs/configuration.md says what the schema says', (t) => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  t.is(page, configurationPage(), 'run: npx postern config --markdown > docs/configuration.md');
});

test('the page and the effective settings name every setting', (t) => {
  const shown = effectiveSettings(readSettings({}));
  t.deepEqual(Object.keys(shown), settingPaths());
  for (const path of settingPaths()) t.true(configurationPage().includes(`| \`${path}\` |`), path);
});

test('every setting says what it is', (t) => {
  t.notRegex(configurationPage(), /\| {2}\|$/m);
});

test('the master key is not shown among the settings', (t) => {
  const key = 'k'.repeat(43);
  t.false(JSON.stringify(effectiveSettings(readSettings({ POSTERN_MASTER_KEY: key }))).includes(key));
});

test('the JSON Schema refuses unknown settings', (t) => {
  const schema = settingsJsonSchema() as { additionalProperties?: unknown };
  t.is(schema.additionalProperties, false);
});
