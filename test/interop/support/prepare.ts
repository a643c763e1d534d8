/**
 * Makes what the examples need from the packages of their own registries: one Python environment, a cargo build, npm
 * folders. All of it is kept in {@link MADE}; the network is needed only when what an example asks for has changed.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { API_NAMES } from './api-names.ts';
import { run, Unprepared } from './command.ts';
import { example, installed, MADE, PYTHON, ROOT, TESTS_OWN } from './places.ts';

const SWAGGER_UI = join(ROOT, 'test/interop/swagger-ui');

interface Need {
  readonly what: string;
  readonly registry: string;
  /** @throws Unprepared */
  readonly prepare: () => Promise<void>;
}

/** Which examples a test runs that is not one example's own. */
const ASIDE: Readonly<Record<string, readonly string[]>> = { 'key-rotation': API_NAMES };

/** What has to be made before these tests can run; nothing of a language that none of them is written in. */
export function needsOf(tests: readonly string[]): Need[] {
  const names = [...new Set(tests.flatMap((name) => ASIDE[name] ?? [name]))];
  const having = (file: string): string[] => names.filter((name) => existsSync(join(example(name), file)));
  const needs: Need[] = [];
  if (having('requirements.txt').length > 0)
    needs.push({ what: 'the Python packages', registry: 'the Python package index', prepare: preparePython });
  for (const name of having('Cargo.toml'))
    needs.push({ what: `the crates of ${name}`, registry: 'the crates registry', prepare: () => prepareRust(name) });
  const folders = having('package.json').map((name): [string, string] => [name, example(name)]);
  if (names.includes('fastapi')) folders.push(['swagger-ui', SWAGGER_UI]);
  for (const [name, source] of folders)
    needs.push({
      what: `the npm packages of ${name}`,
      registry: 'the npm registry',
      prepare: () => prepareNode(name, source),
    });
  return needs;
}

/** @throws Unprepared that says which registry was asked for what, before the tool's own words */
export async function prepared({ what, registry, prepare }: Need): Promise<void> {
  try {
    await prepare();
  } catch (error) {
    if (!(error instanceof Unprepared)) throw error;
    const hint = 'Nothing was tested. If it could not be reached, try again with a network.';
    throw new Unprepared(`${what} could not be had from ${registry}. ${hint}\n${error.message}`);
  }
}

/** Makes a folder unless it was made of the same before. */
async function once(folder: string, of: readonly string[], make: () => Promise<unknown>): Promise<void> {
  const digest = createHash('sha256').update(of.join('\0')).digest('hex');
  const stamp = join(folder, '.made-of');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await make();
  writeFileSync(stamp, digest);
}

/** One environment for all of them: they agree on every version. */
async function preparePython(): Promise<void> {
  const version = await run('python3', ['-c', 'import sys; print(*sys.version_info[:3], sep=".")']);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 3 || minor < 10) throw new Unprepared(`python3 is ${version.trim()}; the examples need 3.10 or later`);
  const files = readdirSync(join(ROOT, 'examples'))
    .map((name) => join(example(name), 'requirements.txt'))
    .filter((file) => existsSync(file))
    .concat(TESTS_OWN);
  const contents = files.map((file) => readFileSync(file, 'utf8'));
  const folder = join(MADE, 'python');
  await once(folder, [version, ...contents], async () => {
    await run('python3', ['-m', 'venv', folder]);
    const asked = files.flatMap((file) => ['-r', file]);
    await run(PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...asked]);
  });
}

/** cargo knows itself what is to be done anew. */
async function prepareRust(name: string): Promise<void> {
  const folder = installed(name);
  mkdirSync(folder, { recursive: true });
  for (const part of ['Cargo.toml', 'src'])
    cpSync(join(example(name), part), join(folder, part), { recursive: true, preserveTimestamps: true });
  await run('cargo', ['build', '--quiet'], { cwd: folder });
}

async function prepareNode(name: string, source: string): Promise<void> {
  const folder = installed(name);
  const manifest = join(source, 'package.json');
  await once(folder, [readFileSync(manifest, 'utf8')], async () => {
    cpSync(manifest, join(folder, 'package.json'));
    const quiet = ['--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    await run('npm', ['install', ...quiet], { cwd: folder });
  });
  // The program itself as it is now.
  cpSync(source, folder, { recursive: true, filter: (path) => !path.includes('node_modules') });
}
