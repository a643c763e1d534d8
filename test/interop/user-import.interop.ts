import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { postern as command } from '../cli/command-line.ts';
import { addClient, type Postern, startPostern } from '../support/postern.ts';
import { run } from './support/command.ts';
import { example, PYTHON, ROOT } from './support/places.ts';
import { SECRET_KEY } from './support/starts.ts';

interface Written {
  readonly by: string;
  readonly password: string;
  readonly hash: string;
}

let postern: Postern;
let client: { id: string; secret?: string | undefined };
let written: readonly Written[];

const emailOf = (i: number): string => `person-${i}@example.com`;

test.serial.before(async () => {
  postern = await startPostern();
  client = await addClient(postern, { passwordGrant: true });
  const lines = (await run(PYTHON, ['test/interop/foreign_hashes.py'])).trim().split('\n');
  written = lines.map((line) => JSON.parse(line) as Written);
});
test.after.always(() => postern?.close());

const signIn = async (email: string, password: string): Promise<number> => {
  const response = await fetch(`${postern.issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` },
    body: new URLSearchParams({ grant_type: 'password', username: email, password }),
  });
  await response.arrayBuffer();
  return response.status;
};

const hashOf = async (email: string): Promise<string> => {
  const person = await postern.domain.accounts.byEmail(email);
  return person?.passwordHash ?? '';
};

test.serial(
  'who Django, werkzeug, passlib, bcrypt and argon2-cffi know, just now, comes in by one command',
  async (t) => {
    const file = join(postern.folder, 'people.jsonl');
    const people = written.map(({ hash }, i) => JSON.stringify({ email: emailOf(i), password_hash: hash }));
    writeFileSync(file, people.join('\n'));
    const { code, stdout, stderr } = await command(postern.folder, ['user', 'import', file]);
    t.is(code, 0, stderr);
    t.is(stdout, `${written.length} people imported\n`);
    t.true(new Set(written.map(({ by }) => by)).size >= 10);
  },
);

test.serial(
  'they sign in with the passwords they had, and with no other; argon2id keeps them from then on',
  async (t) => {
    for (const [i, { by, password, hash }] of written.entries()) {
      const email = emailOf(i);
      t.is(await signIn(email, `${password.slice(0, 8)}?`), 400, by);
      t.is(await signIn(email, hash), 400, by);
      t.is(await signIn(email, password), 200, by);
      t.regex(await hashOf(email), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/, by);
      t.is(await signIn(email, password), 200, `${by}, a second time`);
    }
  },
);

/** Runs a site of Django's or Flask's kind in a folder of its own, and gives where its people were exported to. */
function siteOf(name: 'django_site' | 'flask_site') {
  const folder = join(postern.folder, name);
  mkdirSync(folder);
  const env = {
    SECRET_KEY,
    DATABASE: join(folder, 'people.sqlite3'),
    PYTHONPATH: join(ROOT, 'test/interop', name),
    PYTHONDONTWRITEBYTECODE: '1',
    DJANGO_SETTINGS_MODULE: 'settings',
  };
  return {
    python: (args: readonly string[], input = '') => run(PYTHON, args, { cwd: folder, env, input }),
    file: join(folder, 'people.jsonl'),
  };
}

test.serial('a Django site’s people come along by the script of the page, as they were', async (t) => {
  const { python, file } = siteOf('django_site');
  const shell = (script: string) => python(['-m', 'django', 'shell'], readFileSync(script, 'utf8'));
  await python(['-m', 'django', 'migrate']);
  await shell(join(ROOT, 'test/interop/django_site/people.py'));
  await shell(join(example('user-import'), 'export_django.py'));
  const { code, stderr } = await command(postern.folder, ['user', 'import', file]);
  t.is(code, 0, stderr);
  t.is(await signIn('jo@example.com', 'django and jazz'), 200);
  t.like(await postern.domain.accounts.byEmail('jo@example.com'), { name: 'Jo March' });
  t.is(await signIn('amy@example.com', 'paint and brush'), 400, 'she was not active');
  t.is(await hashOf('beth@example.com'), '', 'she had no password');
});

test.serial('a Flask site’s people come along by the script of the page', async (t) => {
  const { python, file } = siteOf('flask_site');
  await python([join(example('user-import'), 'export_flask.py')]);
  const { code, stderr } = await command(postern.folder, ['user', 'import', file]);
  t.is(code, 0, stderr);
  t.is(await signIn('flo@example.com', 'flask of tea'), 200);
  t.is(await signIn('flo@example.com', 'flask of coffee'), 400);
});
