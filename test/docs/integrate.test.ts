import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { envOf, folderOf } from '../cli/command-line.ts';
import { say } from '../support/cli.ts';
import { filled, ROOT, unmarked } from './excerpts.ts';
import { pages } from './pages.ts';

/** These two show Postern itself, and have tests of their own. */
const OURS = ['demo', 'cluster'];
const examples = readdirSync(join(ROOT, 'examples')).filter((name) => !OURS.includes(name));

for (const { name, path, text } of pages()) {
  test(`${name} shows the code of the tested examples, as it is`, (t) => {
    t.is(filled(text), text, 'run npm run docs');
    t.deepEqual(unmarked(text), [], 'code that no test runs');
  });

  test(`${name} links to what is there`, (t) => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)#]+?)(?:#[^)]*)?\)/g))
      if (!/^https?:/.test(target)) t.true(existsSync(join(dirname(path), target)), target);
    t.pass();
  });

  const commands = commandsOf(text);
  if (commands.length > 0)
    test(`${name}: its commands do what they say`, async (t) => {
      const folder = folderOf(t);
      for (const args of commands) {
        const { code, notes } = await say(envOf(folder), ...args);
        t.is(code, 0, `postern ${args.join(' ')}: ${notes}`);
      }
    });
}

test('every example has a page, and is run by test:interop', (t) => {
  const shown = pages()
    .map(({ text }) => text)
    .join('\n');
  for (const name of examples) {
    t.true(shown.includes(`examples/${name}/`), `no page shows ${name}`);
    t.true(existsSync(join(ROOT, `test/interop/${name}.interop.ts`)), `no test runs ${name}`);
  }
});

test('every test a best practice leans on is there, by that title', (t) => {
  const { text = '' } = pages().find(({ name }) => name === 'best-practices.md') ?? {};
  const named = [...text.matchAll(/“([^”]+)” \(`(test\/[^`]+)`\)/g)];
  t.true(named.length >= 8, `${named.length} named`);
  for (const [, title = '', file = ''] of named)
    t.true(readFileSync(join(ROOT, file), 'utf8').includes(title), `${file} has no test “${title}”`);
});

test('every version an example asks for is exact, and no lock file says where from', (t) => {
  for (const name of examples) {
    const folder = join(ROOT, 'examples', name);
    const read = (file: string) => (existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : '');
    for (const line of read('requirements.txt').trim().split('\n').filter(Boolean))
      t.regex(line, /^[\w.-]+(\[\w+\])?==\d[\d.]*$/);
    const { dependencies = {} } = JSON.parse(read('package.json') || '{}') as { dependencies?: Record<string, string> };
    for (const version of Object.values(dependencies)) t.regex(version, /^\d+\.\d+\.\d+$/);
    for (const [line] of read('Cargo.toml').matchAll(/^\w[\w-]* = (?:"|\{ version = ")(?=\d|=).*$/gm))
      if (!/^(version|edition|rust-version) = /.test(line)) t.regex(line, /"=\d+\.\d+\.\d+"/);
  }
  const ignored = readFileSync(join(ROOT, '.gitignore'), 'utf8');
  for (const lock of ['package-lock.json', 'Cargo.lock']) t.true(ignored.includes(`/examples/*/${lock}`));
});

test('no example holds a secret: they come from the environment', (t) => {
  for (const name of examples)
    for (const path of readdirSync(join(ROOT, 'examples', name), { recursive: true, encoding: 'utf8' })) {
      if (!/\.(py|js|rs|html|toml|json)$/.test(path) || path.includes('node_modules')) continue;
      const text = readFileSync(join(ROOT, 'examples', name, path), 'utf8');
      const code = text.replaceAll(/^\s*(#|\/\/).*$/gm, '');
      t.notRegex(code, /(secret|password|private_?key)\w*["']?\]?\s*[:=]\s*["'`][^"'`$]/i, path);
      t.notRegex(code, /-----BEGIN|eyJ[\w-]{10}/, path);
    }
});

/** The lines of `npx postern …` in its sh blocks, as arguments. */
function commandsOf(text: string): string[][] {
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks
    .flatMap((block) => block.replaceAll(/\\\n\s*/g, ' ').split('\n'))
    .filter((line) => line.startsWith('npx postern ') && !line.includes('people.jsonl'))
    .map((line) => [...line.replace(/ +#.*$/, '').matchAll(/"([^"]*)"|(\S+)/g)].map((m) => m[1] ?? m[2] ?? ''))
    .map((words) => words.slice(2));
}
