/** Makes what the examples need: a Python environment, a cargo build, installed npm packages. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { example, installed, MADE, PYTHON, ROOT } from './places.ts';

/** Something a person can do something about. */
export class Unprepared extends Error {}

export const EXAMPLES = join(ROOT, 'examples');
export const NODE_EXAMPLES = ['node-express', 'spa'];
const SWAGGER_UI = join(ROOT, 'test/interop/swagger-ui');

export const pythonExamples = (): string[] =>
  readdirSync(EXAMPLES).filter((name) => existsSync(join(example(name), 'requirements.txt')));

const requirements = (): string[] => [
  ...pythonExamples().map((name) => join(example(name), 'requirements.txt')),
  join(ROOT, 'test/interop/requirements.txt'),
];

/** Runs it to its end. @throws Unprepared with what it said */
export function run(command: string, args: readonly string[], { cwd = ROOT, env = {} } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      said += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.on('error', (error) => reject(new Unprepared(`${command} cannot be run: ${error.message}`)));
    child.on('close', (code) => {
      if (code === 0) resolve(out);
      else reject(new Unprepared(`${command} ${args.join(' ')} ended with ${code}:\n${said.slice(-4000)}`));
    });
  });
}

/** @throws Unprepared when python3 (3.10 or later) or cargo is missing */
export async function findTools(): Promise<void> {
  const missing: string[] = [];
  const version = await run('python3', ['-c', 'import sys; print(sys.version_info[:2] >= (3, 10))']).catch(() => '');
  if (version.trim() !== 'True') missing.push('python3 (3.10 or later)');
  if (!(await run('cargo', ['--version']).catch(() => ''))) missing.push('cargo (Rust 1.88 or later)');
  if (missing.length > 0) throw new Unprepared(`the examples need ${missing.join(' and ')} on the path`);
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

export async function preparePython(): Promise<void> {
  const folder = join(MADE, 'python');
  const contents = requirements().map((file) => readFileSync(file, 'utf8'));
  const version = await run('python3', ['--version']);
  await once(folder, [version, ...contents], async () => {
    await run('python3', ['-m', 'venv', folder]);
    const files = requirements().flatMap((file) => ['-r', file]);
    await run(PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...files]);
  });
}

/** cargo knows itself what is to be done. */
export async function prepareRust(): Promise<void> {
  const env = { CARGO_TARGET_DIR: join(MADE, 'cargo') };
  await run('cargo', ['build', '--quiet', '--locked'], { cwd: example('rust-axum'), env });
}

export async function prepareNode(): Promise<void> {
  for (const [name, source] of [
    ...NODE_EXAMPLES.map((name) => [name, example(name)] as const),
    ['swagger-ui', SWAGGER_UI] as const,
  ]) {
    const folder = installed(name);
    await once(folder, [readFileSync(join(source, 'package.json'), 'utf8')], async () => {
      cpSync(join(source, 'package.json'), join(folder, 'package.json'));
      const quiet = ['--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
      await run('npm', ['install', ...quiet], { cwd: folder });
    });
    // The program itself as it is now.
    cpSync(source, folder, { recursive: true, filter: (path) => !path.includes('node_modules') || path === source });
  }
}
