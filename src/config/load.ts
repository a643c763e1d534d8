import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { z } from 'zod';
import { type Settings, settingsSchema } from './schema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Everything wrong with the settings, one readable line each. */
export class SettingsError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The settings have ${problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`}:\n${problems.map((p) => `  ${p}`).join('\n')}`,
    );
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

/** Environment variables that are Postern's but no setting of the schema. */
const OTHER_VARIABLES = ['POSTERN_CONFIG'];

/** Every setting's dotted path, leaves only: `issuer`, `brand.name`, … */
export const settingPaths = (schema: z.ZodType = settingsSchema, prefix = ''): string[] => {
  const bare = unwrap(schema);
  if (!(bare instanceof z.ZodObject)) return [prefix];
  return Object.entries(bare.shape).flatMap(([key, child]) =>
    settingPaths(child as z.ZodType, prefix ? `${prefix}.${key}` : key),
  );
};

/** The schema behind defaults and optionals. */
const unwrap = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional ? unwrap(schema.unwrap() as z.ZodType) : schema;

export const variableOf = (path: string): string => `POSTERN_${path.replaceAll('.', '_').toUpperCase()}`;

/** What `postern.yaml` says, and its name for messages. */
export interface SettingsDocument {
  readonly file: string;
  readonly yaml: string;
}

/**
 * Reads `postern.yaml` (or the file POSTERN_CONFIG names, which must then exist).
 * @throws SettingsError when it cannot be read.
 */
export function readDocument(env: Environment): SettingsDocument {
  const named = env['POSTERN_CONFIG']?.trim();
  const file = named || 'postern.yaml';
  try {
    return { file, yaml: readFileSync(file, 'utf8') };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT' || named) throw new SettingsError([`${file}: cannot be read (${code})`]);
    return { file, yaml: '' };
  }
}

/**
 * The settings of `postern.yaml` and the environment, which wins.
 * @throws SettingsError naming every mistake at once.
 */
export function loadSettings(env: Environment): Settings {
  const { file, yaml } = readDocument(env);
  return readSettings(env, yaml, file);
}

/** {@link loadSettings} on texts. */
export function readSettings(env: Environment, yaml = '', file = 'postern.yaml'): Settings {
  const problems: string[] = [];
  let tree = parseTree(yaml, (problem) => problems.push(`${file}: ${problem}`));
  const paths = settingPaths();
  const variables = new Map(paths.map((path) => [variableOf(path), path]));
  const named = new Map<string, string>();
  for (const [name, given] of Object.entries(env)) {
    if (!name.startsWith('POSTERN_') || given === undefined || given === '') continue;
    const path = variables.get(name);
    // A file of variables may have Windows' line ends, and blanks that nobody sees; what reads it may leave quotes in place.
    const value = given.trim();
    if (/^(["']).*\1$/s.test(value)) problems.push(`${name}: has quotes around its value, which would be part of it`);
    else if (path) {
      tree = withSetting(tree, path.split('.'), value);
      named.set(path, name);
    } else if (!OTHER_VARIABLES.includes(name))
      problems.push(`${name}: is no setting${suggestion(name, [...variables.keys()])}`);
  }
  // An address nobody chose follows the port somebody did.
  const port = String(tree['port'] ?? '');
  if (tree['issuer'] === undefined && /^\d{1,5}$/.test(port) && Number(port) < 65536) {
    tree = { ...tree, issuer: new URL(`http://localhost:${port}`).origin };
  }
  const result = settingsSchema.safeParse(tree);
  if (!result.success) problems.push(...result.error.issues.flatMap((issue) => describe(issue, paths, named, file)));
  if (problems.length || !result.success) throw new SettingsError(problems);
  return Object.freeze(result.data);
}

/** The settings of a YAML text. What the parser only warns of (an unknown tag or directive) is a mistake here too. */
function parseTree(yaml: string, report: (problem: string) => void): Record<string, unknown> {
  if (yaml === '') return {};
  try {
    // 72 files, which a server that is set by its environment alone does without.
    const { parseDocument } = createRequire(import.meta.url)('yaml') as typeof import('yaml');
    const document = parseDocument(yaml);
    for (const { message } of [...document.errors, ...document.warnings]) report(message.split('\n')[0] ?? '');
    if (document.errors.length) return {};
    const parsed: unknown = document.toJS() ?? {};
    if (isTree(parsed)) return parsed;
    report('must hold settings, one "name: value" a line');
  } catch (cause) {
    report((cause as Error).message.split('\n')[0] ?? '');
  }
  return {};
}

const isTree = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function withSetting(tree: Record<string, unknown>, [head, ...rest]: string[], value: string): Record<string, unknown> {
  if (head === undefined) return tree;
  if (rest.length === 0) return { ...tree, [head]: value };
  const branch = tree[head];
  return { ...tree, [head]: withSetting(isTree(branch) ? branch : {}, rest, value) };
}

function describe(
  issue: z.core.$ZodIssue,
  paths: string[],
  named: ReadonlyMap<string, string>,
  file: string,
): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const full = path ? `${path}.${key}` : key;
      if (paths.includes(full)) return `${full} (${file}): a dot is a level in the file: write ${nested(full)}`;
      return `${full} (${file}): is no setting${suggestion(full, [...paths, ...paths.map((p) => p.split('.')[0]!)])}`;
    });
  }
  const message = issue.code === 'invalid_union' ? 'has the wrong form' : issue.message;
  // An entry of a list has a path of its own, and the variable of its list.
  const setting = paths.find((each) => path === each || path.startsWith(`${each}.`)) ?? path;
  return [`${path} (${named.get(setting) ?? file}): ${message}`];
}

/** `tokens: { access: … }` */
const nested = (path: string): string =>
  path.split('.').reduceRight((inner, name) => `${name}: ${inner === '…' ? inner : `{ ${inner} }`}`, '…');

function suggestion(name: string, known: readonly string[]): string {
  const [nearest] = known
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(({ distance, candidate }) => distance <= Math.max(3, candidate.length / 3))
    .sort((a, b) => a.distance - b.distance);
  return nearest ? `; did you mean ${nearest.candidate}?` : '';
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
