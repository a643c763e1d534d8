import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { folderOf, postern, serving } from './command-line.ts';

/** `correct horse`, as Django wrote it: test/domain/foreign-hashes.jsonl. */
const DJANGO = 'pbkdf2_sha256$10000$seasalt$yUSQkCSBBGjOglsbRIcmxLTXKwLMc0hBHoXIz/eGsn0=';

const person = (i: number, more: object = {}) =>
  JSON.stringify({ email: `p${i}@example.com`, name: `P ${i}`, password_hash: DJANGO, ...more });

function fileOf(folder: string, content: string | Buffer): string {
  const file = join(folder, 'people.jsonl');
  writeFileSync(file, content);
  return file;
}

for (const running of [true, false])
  test(`a file of people comes in ${running ? 'while the server runs' : 'on a store that nobody serves'}`, async (t) => {
    const folder = folderOf(t);
    if (running) await serving(t, folder);
    const file = fileOf(folder, `\uFEFF${[1, 2, 3].map((i) => person(i)).join('\r\n')}\r\n\r\n`);
    const { code, json, stderr } = await postern(folder, ['user', 'import', file, '--json']);
    t.is(code, 0, stderr);
    t.deepEqual(json, { imported: 3, refused: [] });
    t.like((await postern(folder, ['user', 'show', 'p2@example.com', '--json'])).json, {
      email: 'p2@example.com',
      name: 'P 2',
      has_password: true,
      admin: false,
    });
    const again = await postern(folder, ['user', 'import', '-'], person(4));
    t.is(again.stdout, '1 person imported\n');
  });

test('every line that cannot be is named with its reason, and nobody of the file comes in', async (t) => {
  const folder = folderOf(t);
  const lines = [
    person(1),
    '{"email":',
    '[]',
    person(2, { admin: true }),
    person(3, { password_hash: 'hunter2' }),
    '',
    person(1),
    JSON.stringify({ email: 7 }),
    '{"email":"x@example.com","__proto__":{"admin":true}}',
  ];
  const { code, json, stderr } = await postern(folder, ['user', 'import', '-', '--json'], lines.join('\n'));
  t.is(code, 1);
  t.regex(stderr, /\npostern: 7 lines are refused: nobody was imported\n$/);
  t.is(json.imported, 0);
  t.deepEqual(
    json.refused.map(({ line }: { line: number }) => line),
    [2, 3, 4, 5, 7, 8, 9],
  );
  t.regex(json.refused[2].reason, /admin/);
  t.notRegex(JSON.stringify(json), /hunter2|seasalt/, 'a reason does not repeat a hash');
  const told = await postern(folder, ['user', 'import', '-'], lines.join('\n'));
  t.regex(told.stdout, /^line +reason\n2 +not JSON/);
  t.deepEqual((await postern(folder, ['user', 'list', '--json'])).json, []);
});

for (const [fact, content, message] of [
  [
    'letters of another encoding',
    Buffer.from('{"email":"m\xfcller@example.com"}', 'latin1'),
    /cannot read .*not valid/,
  ],
  ['nothing', '', undefined],
] as const)
  test(`a file of ${fact}`, async (t) => {
    const folder = folderOf(t);
    const { code, stdout, stderr } = await postern(folder, ['user', 'import', fileOf(folder, content)]);
    if (!message) return t.is(stdout, '0 people imported\n');
    t.is(code, 1);
    t.regex(stderr, message);
  });

test('a file that is not there is told in one line', async (t) => {
  const { code, stderr } = await postern(folderOf(t), ['user', 'import', 'nowhere.jsonl']);
  t.is(code, 1);
  t.regex(stderr, /^postern: cannot read nowhere.jsonl: ENOENT[^\n]*\n$/);
});
