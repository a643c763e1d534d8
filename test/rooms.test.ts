import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));

/** The house in README.md, floor by floor: a room imports rooms of its own floor and below. config, words, outbound and lib are everybody's, and import nobody above. */
const FLOORS: Readonly<Record<string, number>> = {
  main: 1,
  server: 1,
  assembly: 1,
  rehearsal: 1,
  processes: 1,
  cli: 1,
  interaction: 2,
  account: 2,
  admin: 2,
  engine: 3,
  grants: 3,
  short: 3,
  registration: 3,
  http: 3,
  factors: 4,
  operations: 4,
  mail: 4,
  upstream: 4,
  domain: 5,
  store: 6,
  config: 7,
  words: 7,
  outbound: 7,
  lib: 8,
};

const KNOWS_THE_ENGINE = new Set(['engine', 'grants']);
const TOUCHES_THE_PROCESS = new Set(['main', 'cli']);

const CIRCLE = 'rooms in a circle: ';

/** Sources by their path in src/. */
type House = Readonly<Record<string, string>>;

const roomOf = (path: string): string => path.split('/')[0]!.replace(/(\.d)?\.ts$/, '');

/** Comments out, strings kept: enough to find imports by their keywords. A string that holds `//` loses its end. */
const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');

/** Every module a source names: static, dynamic, re-exported, or by type alone. */
function importsOf(source: string): string[] {
  const text = withoutComments(source);
  const found = [
    ...text.matchAll(/\b(?:import|export)\b[^'"`;=]*?\bfrom\s*['"]([^'"]+)['"]/g),
    ...text.matchAll(/\bimport\s*['"]([^'"]+)['"]/g),
    ...text.matchAll(/\bimport\s*\(\s*['"`]([^'"`]+)['"`]/g),
    ...text.matchAll(/\bdeclare\s+module\s*['"]([^'"]+)['"]/g),
  ];
  return found.map((match) => match[1]!);
}

/** What breaks that, in sentences; nothing when all is well. */
function faultsOf(house: House): string[] {
  const faults: string[] = [];
  const deep = new Set<string>();
  const walls = new Map<string, Set<string>>();
  for (const [path, source] of Object.entries(house)) {
    const room = roomOf(path);
    const floor = FLOORS[room];
    if (floor === undefined) {
      faults.push(`${path}: the room ${room} has no floor`);
      continue;
    }
    for (const name of importsOf(source)) {
      if (name === 'oidc-provider' || name.startsWith('oidc-provider/')) {
        if (!KNOWS_THE_ENGINE.has(room)) faults.push(`${path}: only engine/ and grants/ may import oidc-provider`);
        if (name !== 'oidc-provider' && !path.endsWith('.d.ts')) deep.add(path);
      }
      if (/^(node:)?process$/.test(name) && !TOUCHES_THE_PROCESS.has(room))
        faults.push(`${path}: only main.ts and cli/ may import process`);
      if (!name.startsWith('.')) continue;
      const target = normalize(join(dirname(path), name));
      // The views' words are data, and lie beside src/.
      if (target.startsWith('../views/') && target.endsWith('.json')) continue;
      if (target.startsWith('..')) {
        faults.push(`${path}: imports ${name}, which is outside src/`);
        continue;
      }
      const other = roomOf(target);
      if (other === room) continue;
      const otherFloor = FLOORS[other];
      if (otherFloor === undefined || otherFloor < floor) faults.push(`${path}: imports upward, ${other}`);
      walls.set(room, (walls.get(room) ?? new Set()).add(other));
    }
    const text = withoutComments(source);
    const ownThread = /\b(workerData|parentPort)\b/.test(text);
    if (/\bprocess\s*\??\.\s*(env|exit|exitCode|argv)\b/.test(text) && !TOUCHES_THE_PROCESS.has(room) && !ownThread)
      faults.push(`${path}: only main.ts and cli/ may touch process`);
  }
  for (const path of deep)
    if (path !== 'engine/internals.ts')
      faults.push(`${path}: only engine/internals.ts may import the inside of oidc-provider`);
  return [...faults, ...doorsOf(house), ...circlesOf(walls)];
}

function doorsOf(house: House): string[] {
  const folders = new Set(
    Object.keys(house)
      .filter((path) => path.includes('/'))
      .map(roomOf),
  );
  return [...folders].flatMap((room) => {
    const door = house[`${room}/index.ts`];
    if (door === undefined) return [`${room}/: has no index.ts`];
    return /^\/\*\*\s*\n \* [\s\S]{40,}?\*\//.test(door) ? [] : [`${room}/index.ts: does not begin with a comment`];
  });
}

function circlesOf(walls: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const circles = new Set<string>();
  const walk = (room: string, above: readonly string[]): void => {
    const at = above.indexOf(room);
    if (at >= 0) {
      circles.add(above.slice(at).toSorted().join(', '));
      return;
    }
    for (const next of walls.get(room) ?? []) walk(next, [...above, room]);
  };
  for (const room of walls.keys()) walk(room, []);
  return [...circles].map((rooms) => `${CIRCLE}${rooms}`);
}

const readHouse = (): House =>
  Object.fromEntries(
    readdirSync(SRC, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => [path, readFileSync(join(SRC, path), 'utf8')]),
  );

test('a room imports rooms of its own floor and below', (t) => {
  const house = readHouse();
  t.true(Object.keys(house).length > 10);
  t.deepEqual(
    faultsOf(house).filter((fault) => !fault.startsWith(CIRCLE)),
    [],
  );
});

test('no rooms go in a circle', (t) => {
  t.deepEqual(
    faultsOf(readHouse()).filter((fault) => fault.startsWith(CIRCLE)),
    [],
  );
});

const DOOR = '/**\n * room: what it owns, what it never does, where control goes next, in a sentence.\n */\n';

const SOUND: House = {
  'main.ts': "import { start } from './server.ts';\nprocess.exit(0);",
  'server.ts': "import { engine } from './engine/index.ts';\nimport { x } from './grants/index.ts';",
  'cli/index.ts': `${DOOR}process.env.HOME;`,
  'engine/index.ts': `${DOOR}import { Provider } from 'oidc-provider';\nimport { store } from '../store/index.ts';`,
  'engine/internals.ts': "import x from 'oidc-provider/lib/helpers/als.js';",
  'engine/worker.ts': "import { workerData } from 'node:worker_threads';\nprocess.env.X;",
  'grants/index.ts': `${DOOR}import { token } from '../engine/index.ts';`,
  'store/index.ts': `${DOOR}// import { up } from '../engine/index.ts'\nimport { ids } from '../lib/index.ts';`,
  'config/index.ts': `${DOOR}import { days } from '../lib/index.ts';`,
  'lib/index.ts': `${DOOR}/* process.env is for main */ export const url = 'http://process.example';`,
};

test('a sound house has no fault', (t) => {
  t.deepEqual(faultsOf(SOUND), []);
});

const PLANTED: readonly [fact: string, change: House, fault: string][] = [
  [
    'an import upward',
    { 'store/a.ts': "import { e } from '../engine/index.ts';" },
    'store/a.ts: imports upward, engine',
  ],
  [
    'an import upward for a type alone',
    { 'domain/index.ts': DOOR, 'domain/a.ts': "import type {\n  E,\n} from '../engine/index.ts';" },
    'domain/a.ts: imports upward, engine',
  ],
  [
    'a type written as import()',
    { 'store/a.ts': "let e: import('../engine/index.ts').E;" },
    'store/a.ts: imports upward, engine',
  ],
  [
    'a re-export from above',
    { 'store/a.ts': "export * from '../engine/index.ts';" },
    'store/a.ts: imports upward, engine',
  ],
  [
    'a dynamic import from above',
    { 'lib/a.ts': "await import('../config/index.ts');" },
    'lib/a.ts: imports upward, config',
  ],
  [
    'a side-effect import of main',
    { 'cli/a.ts': "import '../store/index.ts';", 'store/a.ts': "import '../main.ts';" },
    'store/a.ts: imports upward, main',
  ],
  [
    'the engine outside its rooms',
    { 'store/a.ts': "import type { Provider } from 'oidc-provider';" },
    'store/a.ts: only engine/ and grants/ may import oidc-provider',
  ],
  [
    'a second file with deep imports',
    { 'grants/a.ts': "import x from 'oidc-provider/lib/models/index.js';" },
    'grants/a.ts: only engine/internals.ts may import the inside of oidc-provider',
  ],
  [
    'the environment read below',
    { 'store/a.ts': "const x = process.env['X'];" },
    'store/a.ts: only main.ts and cli/ may touch process',
  ],
  ['an exit below', { 'lib/a.ts': 'process\n  .exit(1);' }, 'lib/a.ts: only main.ts and cli/ may touch process'],
  [
    'the process imported below',
    { 'lib/a.ts': "import { env } from 'node:process';" },
    'lib/a.ts: only main.ts and cli/ may import process',
  ],
  ['a door without a comment', { 'store/index.ts': 'export {};' }, 'store/index.ts: does not begin with a comment'],
  ['a room without a door', { 'http/a.ts': 'export {};' }, 'http/: has no index.ts'],
  ['a room nobody gave a floor', { 'helpers/index.ts': DOOR }, 'helpers/index.ts: the room helpers has no floor'],
  [
    'a circle on one floor',
    { 'engine/a.ts': "import { g } from '../grants/index.ts';" },
    'rooms in a circle: engine, grants',
  ],
  [
    'an import out of src/',
    { 'lib/a.ts': "import x from '../../test/x.ts';" },
    'lib/a.ts: imports ../../test/x.ts, which is outside src/',
  ],
];

for (const [fact, change, fault] of PLANTED) {
  test(`the checker sees ${fact}`, (t) => {
    t.true(faultsOf({ ...SOUND, ...change }).includes(fault), faultsOf({ ...SOUND, ...change }).join('\n'));
  });
}
