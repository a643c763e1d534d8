import { z } from 'zod';
import { variableOf } from './load.ts';
import { type Settings, settingsSchema } from './schema.ts';

interface Property {
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Property>>;
}

/** Settings whose value is a secret: shown nowhere. */
const SECRETS: ReadonlySet<string> = new Set(['master_key', 'database_url', 'smtp_url']);

/** The settings as JSON Schema (draft 2020-12), for editors of `postern.yaml`. */
export const settingsJsonSchema = (): Property =>
  z.toJSONSchema(settingsSchema, { io: 'input', unrepresentable: 'any' }) as Property;

/** `docs/configuration.md`: every setting, from the schema alone. */
export function configurationPage(): string {
  const rows = leaves(settingsJsonSchema()).map(([path, property]) => {
    const fallback = property.default === undefined ? 'unset' : code(property.default);
    return `| \`${path}\` | \`${variableOf(path)}\` | ${fallback} | ${cell(property.description ?? '')} |`;
  });
  return `# Configuration

<!-- Printed from src/config/schema.ts: npx postern config --markdown > docs/configuration.md -->

Settings come from \`postern.yaml\` in the working folder (or the file that \`POSTERN_CONFIG\` names) and from the
environment, which wins. A dot in a setting's name is a level in the file. Lengths of time are written \`30s\`, \`15m\`,
\`2h\` or \`7d\`; in the environment, lists are separated by commas. Nothing starts on a mistake; all are reported at once.
\`npx postern config\` shows what is in force, \`npx postern config --schema\` prints a JSON Schema for editors.

| setting | environment | default | what it is |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

/** Every setting in force by its dotted path, secrets hidden; null where it is unset. Lengths of time in milliseconds. */
export const effectiveSettings = (settings: Settings): Record<string, unknown> =>
  Object.fromEntries(
    leaves(settingsJsonSchema()).map(([path]) => {
      const value = path.split('.').reduce<unknown>((tree, key) => (tree as Record<string, unknown>)?.[key], settings);
      return [path, SECRETS.has(path) && value !== undefined ? '(hidden)' : (value ?? null)];
    }),
  );

const leaves = ({ properties = {} }: Property, prefix = ''): [string, Property][] =>
  Object.entries(properties).flatMap(([key, property]): [string, Property][] =>
    property.properties ? leaves(property, `${prefix}${key}.`) : [[`${prefix}${key}`, property]],
  );

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const code = (value: unknown): string =>
  Array.isArray(value) && value.length === 0 ? 'none' : `\`${cell(String(value))}\``;
