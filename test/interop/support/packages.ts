import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import { example, installed, PYTHON, TESTS_OWN } from './places.ts';

/** Which versions of what it asks for a test ran with: `Flask 3.1.3, PyJWT 2.15.1`. */
export async function packagesOf(name: string): Promise<string> {
  const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  const own = read(join(example(name), 'requirements.txt'));
  // What wrote the hashes counts as well.
  const requirements = name === 'user-import' ? `${own}${read(TESTS_OWN).replace(/^Django==.*\n/m, '')}` : own;
  if (requirements) return named(await pythonVersions(), requirements.matchAll(/^([\w-]+)(?:\[\w+\])?==/gm));
  const manifest = read(join(example(name), 'package.json'));
  if (manifest) return nodeVersions(name, JSON.parse(manifest) as Manifest);
  const lock = read(join(installed(name), 'Cargo.lock'));
  const versions = new Map([...lock.matchAll(/name = "([^"]+)"\nversion = "([^"]+)"/g)].map((m) => [m[1]!, m[2]!]));
  return named(versions, read(join(example(name), 'Cargo.toml')).matchAll(/^([\w-]+) = .*"=/gm));
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

const nodeVersions = (name: string, { dependencies }: Manifest): string =>
  Object.keys(dependencies)
    .map((one) => {
      const file = join(installed(name), 'node_modules', one, 'package.json');
      return `${one} ${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`;
    })
    .join(', ');

const named = (versions: ReadonlyMap<string, string>, names: Iterable<RegExpExecArray>): string =>
  [...names].map(([, name = '']) => `${name} ${versions.get(normal(name)) ?? versions.get(name)}`).join(', ');

const normal = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, '-');

async function pythonVersions(): Promise<Map<string, string>> {
  const listed = JSON.parse(await run(PYTHON, ['-m', 'pip', 'list', '--format', 'json'])) as {
    name: string;
    version: string;
  }[];
  return new Map(listed.map(({ name, version }) => [normal(name), version]));
}
