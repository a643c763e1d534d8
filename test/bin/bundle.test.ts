import { spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { collected } from '../support/collected.ts';
import { environmentOf } from '../support/environment.ts';
import { freePort } from '../support/free-port.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const CACHE = 'node_modules/.cache/postern';

/** A clone with its packages, and the bundle of its sources as they are: to look at, and to copy. */
const bundled = mkdtempSync(join(tmpdir(), 'postern-bundle-'));
test.before(async (t) => {
  fill(bundled);
  t.is(await bundleOf(bundled), undefined);
  t.like(await make(bundled), { code: 0, stderr: '' });
  t.truthy(await bundleOf(bundled));
});
test.after.always(() => rmSync(bundled, { recursive: true }));

function fill(root: string, without = ''): void {
  for (const part of ['bin', 'src', 'views', 'package.json'])
    cpSync(join(ROOT, part), join(root, part), { recursive: true });
  mkdirSync(join(root, 'node_modules'));
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    if (name !== '.cache' && name !== without)
      symlinkSync(join(ROOT, 'node_modules', name), join(root, 'node_modules', name));
}

/** One whose sources may be changed; without a bundle. */
function clone(t: ExecutionContext, { without = '' } = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'postern-bundle-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  fill(root, without);
  return root;
}

/** Gives a clone the bundle that was made of the same sources. A copy is as good, and making one takes a second. */
function giveBundle(root: string): void {
  rmSync(join(root, CACHE), { recursive: true, force: true });
  cpSync(join(bundled, CACHE), join(root, CACHE), { recursive: true });
}

function run(root: string, args: readonly string[], input = '') {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { PATH: process.env['PATH'], POSTERN_DATA: join(root, 'data'), POSTERN_KEYS: join(root, 'keys') },
  });
  child.stdin.end(input);
  return collected(child);
}

const make = (root: string) => run(root, ['bin/bundle/make.js']);

async function bundleOf(root: string): Promise<URL | undefined> {
  const { findBundle } = await import(pathToFileURL(join(root, 'bin/bundle/find.js')).href);
  return findBundle();
}

test('a bundle is run until a byte of what it was made of is another, and again when it is what it was', async (t) => {
  const root = clone(t);
  t.is(await bundleOf(root), undefined);
  giveBundle(root);
  const made = await bundleOf(root);
  t.truthy(made);

  const source = join(root, 'src/lib/digest.ts');
  const before = readFileSync(source);
  const { mtime } = statSync(source);
  const after = Buffer.from(before);
  after[after.length - 2]! ^= 1;
  writeFileSync(source, after);
  utimesSync(source, mtime, mtime);
  t.is(await bundleOf(root), undefined, 'as long, and with the time it had');
  writeFileSync(source, before);
  t.deepEqual(await bundleOf(root), made);

  rmSync(source);
  t.is(await bundleOf(root), undefined);
  writeFileSync(source, before);
  writeFileSync(join(root, CACHE, 'bundle.json'), '{"files":');
  t.is(await bundleOf(root), undefined);
});

test('a bundle that is damaged is not run: what asks for it runs from the sources, until it is made anew', async (t) => {
  const root = clone(t);
  const runs = async () => (await run(root, ['bin/postern.js', 'config', '--json'])).code;
  for (const damage of [
    (file: string) => rmSync(file),
    (file: string) => truncateSync(file, statSync(file).size - 1),
    (file: string) => writeFileSync(file, Buffer.alloc(statSync(file).size)),
  ]) {
    giveBundle(root);
    damage(join(fileURLToPath((await bundleOf(root))!), 'cli.js'));
    t.is(await bundleOf(root), undefined);
    t.is(await runs(), 0);
  }
  t.like(await make(root), { code: 0, stderr: '' });
  t.truthy(await bundleOf(root));
});

test('one that runs goes on from its bundle when the next is made, and the one before that is cleared away', async (t) => {
  const root = clone(t);
  const names = () => readdirSync(join(root, CACHE)).filter((name) => name !== 'bundle.json');
  const made: string[] = [];
  const look = async () => void made.push((await bundleOf(root))!.pathname.split('/').at(-2)!);
  giveBundle(root);
  await look();
  for (const word of ['two', 'three']) {
    appendFileSync(join(root, 'src/lib/digest.ts'), `// ${word}\n`);
    await make(root);
    await look();
  }
  t.is(new Set(made).size, 3);
  t.deepEqual(names().sort(), made.slice(1).sort());
});

test('people are added, with a hashed password, from a bundle as from the sources', async (t) => {
  const root = clone(t);
  for (const email of ['sources@example.com', 'bundle@example.com']) {
    const { code, stdout, stderr } = await run(
      root,
      ['bin/postern.js', 'user', 'add', email, '--password-stdin', '--json'],
      'correct horse battery\n',
    );
    t.is(code, 0, stderr);
    t.like(JSON.parse(stdout), { email, has_password: true });
    giveBundle(root);
  }
  t.truthy(await bundleOf(root));
});

test('the stack of an error names lines of the sources', async (t) => {
  const root = clone(t);
  const main = join(root, 'src/processes/index.ts');
  const fault = '\n\nfunction atFault(): void {\n  null!.nothing;\n}\natFault();\n';
  const line = readFileSync(main, 'utf8').split('\n').length + 3;
  appendFileSync(main, fault);
  await make(root);
  t.truthy(await bundleOf(root));
  const { code, stderr } = await run(root, ['bin/server.js']);
  t.is(code, 1);
  t.regex(
    stderr,
    new RegExp(
      `TypeError: Cannot read .*\\n    at atFault \\(file://${main}:${line}:\\d+\\)\\n    at file://${main}:${line + 2}:1\\n`,
    ),
  );
});

test('what is loaded only when it is needed can be found from a bundle', async (t) => {
  const bundle = fileURLToPath((await bundleOf(bundled))!);
  const names = new Set<string>();
  for (const file of readdirSync(bundle).filter((name) => name.endsWith('.js')))
    for (const [, name] of readFileSync(join(bundle, file), 'utf8').matchAll(/\bimport\("([^".][^"]*)"\)/g))
      names.add(name!);
  t.true(names.has('openid-client') && names.has('nodemailer') && names.size >= 5, [...names].join());
  const { resolve } = createRequire(join(bundle, 'server.js'));
  for (const name of names) t.notThrows(() => resolve(name), name);
});

test('a server from a bundle has loaded neither TLS nor languages until somebody needs them', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-lean-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const witness = `
    const { ListFormat } = Intl;
    let lists = 0;
    Intl.ListFormat = class extends ListFormat { constructor(...how) { super(...how); lists += 1; } };
    const loaded = (name) => process.moduleLoadList.includes('NativeModule ' + name);
    process.on('SIGUSR2', () => console.log(JSON.stringify({ lists, tls: loaded('tls'), https: loaded('https') })));`;
  const opsPort = String(await freePort());
  const server = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(witness)}`, 'bin/server.js'],
    { cwd: bundled, env: { ...environmentOf(folder), POSTERN_OPS_PORT: opsPort } },
  );
  t.teardown(() => server.kill('SIGKILL'));
  const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
  const line = async (name: string): Promise<Record<string, unknown>> => {
    const entry = JSON.parse((await lines.next()).value ?? '{}') as Record<string, unknown>;
    return name in entry ? entry : line(name);
  };
  const loaded = () => {
    server.kill('SIGUSR2');
    return line('lists');
  };
  const { url } = await line('url');
  t.regex(await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text(), /^nodejs_eventloop_lag_p99_seconds/m);
  t.deepEqual(await loaded(), { lists: 0, tls: false, https: false });
  const refused = await fetch(`${url}/authorize?client_id=a&state=a&state=b`);
  t.is(refused.status, 400);
  t.deepEqual(await loaded(), { lists: 1, tls: false, https: false });
});

test('the engine’s classes keep their names in a bundle, whatever of ours is called like them', async (t) => {
  const root = clone(t);
  appendFileSync(join(root, 'src/processes/index.ts'), '\nclass AccessToken {}\nprocess.title = AccessToken.name;\n');
  await make(root);
  const bundle = fileURLToPath((await bundleOf(root))!);
  const text = readdirSync(bundle)
    .filter((name) => name.endsWith('.js'))
    // A long line is broken off even in the middle of a text.
    .map((name) => readFileSync(join(bundle, name), 'utf8').replaceAll('\\\n', ''))
    .join('');
  const [model] = /class (AccessToken\d*) extends[^{]+\{[^}]*\}/.exec(text) ?? [];
  t.regex(model ?? '', /static\s*\{\s*__name\d*\(\s*this,\s*"AccessToken"\s*\)/);
});

test('without the bundler it says so, and runs from the sources', async (t) => {
  const root = clone(t, { without: 'esbuild' });
  const { code, stderr } = await make(root);
  t.is(code, 0);
  t.regex(stderr, /^postern: no bundle, it runs from its sources: .*esbuild/);
  t.is(await bundleOf(root), undefined);
  t.is((await run(root, ['bin/postern.js', 'config', '--json'])).code, 0);
});
