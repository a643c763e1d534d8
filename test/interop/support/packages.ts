import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { example, PYTHON } from './places.ts';
import { run } from './prepare.ts';

/** Which versions an example ran with: `Flask 3.1.3, PyJWT 2.15.1`. Empty where it is no example of its own. */
export async function packagesOf(name: string): Promise<string> {
  const file = (path: string): string | undefined => {
    const whole = join(example(name), path);
    return existsSync(whole) ? readFileSync(whole, 'utf8') : undefined;
  };
  const requirements = file('requirements.txt');
  if (requirements) return named(await pythonVersions(), requirements.matchAll(/^([\w-]+)(?:\[\w+\])?==/gm));
  const manifest = file('package.json');
  if (manifest) {
    const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
    return Object.entries(dependencies)
      .map(([one, version]) => `${one} ${version}`)
      .join(', ');
  }
  const lock = file('Cargo.lock');
  if (!lock) return '';
  const versions = new Map([...lock.matchAll(/name = "([^"]+)"\nversion = "([^"]+)"/g)].map((m) => [m[1]!, m[2]!]));
  return named(versions, file('Cargo.toml')!.matchAll(/^([\w-]+) = .*"=/gm));
}

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
