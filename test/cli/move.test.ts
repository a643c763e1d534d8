/** `postern store migrate`: what it refuses, and a move that dies at any moment. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { newSecret, sha256, silent } from '../../src/lib/index.ts';
import { openAlone, openStore } from '../../src/store/open.ts';
import { say } from '../support/cli.ts';
import { issueTo } from '../support/issued.ts';
import { type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { envOf, folderOf, POSTERN, serving } from './command-line.ts';

let databases: DatabaseServer;
test.before(async () => {
  databases = await startDatabaseServer();
});
test.after.always(() => databases?.remove());

/** A store with somebody in it, and the settings that name it. */
async function storeOf(t: ExecutionContext, grants = 0) {
  const folder = folderOf(t);
  const env = envOf(folder);
  await say(env, 'user', 'add', 'ada@example.com');
  if (grants > 0) {
    const server = await serving(t, folder);
    const { store } = server;
    for (let done = 0; done < grants; done += 500)
      await Promise.all(Array.from({ length: 500 }, () => issueTo(store, sha256(newSecret()), 'cli_x')));
    await server.close();
  }
  return { folder, env };
}

const refusal = async (t: ExecutionContext, env: Record<string, string>, ...args: string[]): Promise<string> => {
  const { code, out, notes } = await say(env, 'store', 'migrate', ...args);
  t.is(code, 1);
  t.is(out, '');
  t.is(notes.length, 1);
  return notes[0]!;
};

test('a move to nowhere, to itself, or into what is not empty is refused, and changes nothing', async (t) => {
  const { folder, env } = await storeOf(t);
  t.regex(await refusal(t, env, '--to', 'mysql://root:hunter2@x/y'), /--to takes a database \(postgresql:.*file:PATH/);
  for (const mistyped of ['postgresql//root:hunter2@x/y', 'localhost/postern', 'other', '', 'file:', 'file:http://x'])
    t.regex(await refusal(t, env, '--to', mistyped), /--to takes a database/, mistyped);
  t.notRegex(await refusal(t, env, '--to', 'mysql://root:hunter2@x/y'), /hunter2/);
  t.regex(await refusal(t, env, '--to', env.POSTERN_DATA), /that is where everything is already/);
  t.regex(await refusal(t, env, '--to', `file:${folder}/./data`), /that is where everything is already/);
  symlinkSync('data', join(folder, 'linked'));
  t.regex(await refusal(t, env, '--to', `file:${folder}/linked`), /that is where everything is already/);
  symlinkSync('circle', join(folder, 'circle'));
  t.regex(await refusal(t, env, '--to', `file:${folder}/circle`), /cannot open the store in .*ELOOP/);
  const { url } = await databases.create();
  const other = { ...envOf(folderOf(t)), POSTERN_DATABASE_URL: url };
  t.is((await say(other, 'user', 'add', 'eve@example.com')).code, 0);
  t.regex(await refusal(t, env, '--to', url), /the database db\d+ at .* is not empty: nothing was changed/);
  const people = async (of: Record<string, string>) =>
    (await say(of, 'user', 'list', '--json')).json.map(({ email }: { email: string }) => email);
  t.deepEqual(await people(env), ['ada@example.com']);
  t.deepEqual(await people(other), ['eve@example.com']);
});

test('a store that is served is not moved, and nothing moves into one that is', async (t) => {
  const { folder, env } = await storeOf(t);
  const { url } = await databases.create();
  const server = await serving(t, folder);
  t.regex(await refusal(t, env, '--to', url), /in use by process \d+.*: stop the server first/);
  await server.close();
  const store = await openStore({
    settings: { data: '', database_url: url },
    log: silent,
    pid: process.pid,
    mustExist: false,
  });
  // A server has many connections; of two machines each is told.
  await Promise.all(Array.from({ length: 8 }, (_, i) => store.commit([{ remove: 'guesses', id: `${i}` }])));
  t.regex(
    await refusal(t, env, '--to', url),
    /the database is in use by 127\.0\.0\.1 \([2-9] connections since [^,()]+\): stop every server on it first/,
  );
  await store.close();
  t.is((await say(env, 'store', 'migrate', '--to', url)).code, 0);
});

test('what was moved is good for nothing, in words that say where it went', async (t) => {
  const { folder, env } = await storeOf(t);
  const { url } = await databases.create();
  t.is((await say(env, 'store', 'migrate', '--to', url)).code, 0);
  const { code, notes } = await say(env, 'user', 'list');
  t.is(code, 1);
  t.regex(notes[0]!, /was moved to the database db\d+ at .* and is not served any more/);
  t.regex(await refusal(t, env, '--to', `file:${folder}/other`), /was moved to the database .* already/);
  const there = { ...env, POSTERN_DATABASE_URL: url };
  t.regex(await refusal(t, there, '--to', `file:${env.POSTERN_DATA}`), /remove it, or choose another place/);
  t.is((await say(there, 'store', 'migrate', '--to', `file:${folder}/other`)).code, 0);
  t.is((await say({ ...env, POSTERN_DATA: join(folder, 'other') }, 'user', 'list', '--json')).json.length, 1);
});

for (const engine of ['files', 'PostgreSQL'])
  test(`${engine}: what a move was cut off on its way to is not served as an empty store; the same command ends it`, async (t) => {
    const { folder, env } = await storeOf(t);
    const to = engine === 'files' ? `file:${folder}/other` : (await databases.create()).url;
    const there =
      engine === 'files' ? { ...env, POSTERN_DATA: join(folder, 'other') } : { ...env, POSTERN_DATABASE_URL: to };
    // Rows that no other key opens: it ends when they come by.
    const anotherKey = { ...env, POSTERN_MASTER_KEY: 'k'.repeat(43) };
    t.regex(await refusal(t, anotherKey, '--to', to), /another master key/);
    const { code, notes } = await say(there, 'user', 'list');
    t.is(code, 1);
    t.regex(notes[0]!, /the move of the data folder .* is not finished: run the same postern store migrate again/);
    t.is((await say(env, 'user', 'list', '--json')).json.length, 1);
    t.is((await say(env, 'store', 'migrate', '--to', to)).code, 0);
    t.is((await say(there, 'user', 'list', '--json')).json.length, 1);
  });

for (const engine of ['files', 'PostgreSQL'])
  test(`${engine}: what a move made before it had said whose it is, is not served as a new store either`, async (t) => {
    const { folder, env } = await storeOf(t);
    const other = join(folder, 'other');
    const { url } = await databases.create();
    const [to, place, there] =
      engine === 'files'
        ? [`file:${other}`, { folder: other }, { ...env, POSTERN_DATA: other }]
        : [url, { url, named: '--to' }, { ...env, POSTERN_DATABASE_URL: url }];
    const refused = async () => {
      const { code, notes } = await say(there, 'user', 'list');
      t.is(code, 1);
      t.regex(notes[0]!, /(data folder|database).* is empty, although there was a store.* run that again.*--init/);
    };
    // All that a move does before its first commit there.
    await (await openAlone(place, { log: silent, pid: process.pid, mustExist: false })).release();
    if (engine === 'files') {
      // And before that: a journal that has begun, and nothing that says it is a store.
      const [journal] = globSync(`${other}/journal-*`);
      writeFileSync(journal!, `${readFileSync(journal!, 'utf8').split('\n', 1)[0]}\n`);
      renameSync(join(other, 'store.json'), join(folder, 'kept'));
      await refused();
      renameSync(join(folder, 'kept'), join(other, 'store.json'));
    }
    await refused();
    t.is((await say(env, 'store', 'migrate', '--to', to)).code, 0);
    t.is((await say(there, 'user', 'list', '--json')).json.length, 1);
  });

test('a role that only serves a database is told whose it is to move it away, and the owner ends what it began', async (t) => {
  const { folder, env } = await storeOf(t);
  const { name, url, query } = await databases.create();
  t.is((await say(env, 'store', 'migrate', '--to', url)).code, 0);
  const role = `serving_${name}`;
  await query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA postern TO ${role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA postern TO ${role};
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA postern TO ${role}`);
  const serving = { ...env, POSTERN_DATABASE_URL: Object.assign(new URL(url), { username: role, password: 'x' }).href };
  const back = ['--to', `file:${folder}/back`] as const;
  const served = await openStore({ settings: { data: '', database_url: url }, log: silent, pid: 1, mustExist: true });
  t.regex(await refusal(t, serving, ...back), /in use by the role postgres \(\d connections?\): stop every server/);
  await served.close();
  t.regex(await refusal(t, serving, ...back), /a move out of it the role that owns its functions and the schema/);
  t.is((await say(serving, 'user', 'list', '--json')).json.length, 1);
  t.is((await say({ ...env, POSTERN_DATABASE_URL: url }, 'store', 'migrate', ...back)).code, 0);
  t.is((await say({ ...env, POSTERN_DATA: join(folder, 'back') }, 'user', 'list', '--json')).json.length, 1);
});

test('what a move has carried to its end but for a mark is replaced by no other move, nor by a restore that is not told to', async (t) => {
  const { folder, env } = await storeOf(t);
  const backup = join(folder, 'backup');
  t.is((await say(env, 'store', 'backup', backup)).code, 0);
  const other = join(folder, 'other');
  t.is((await say(env, 'store', 'migrate', '--to', `file:${other}`)).code, 0);
  const there = { ...env, POSTERN_DATA: other };
  t.is((await say(there, 'user', 'add', 'eve@example.com')).code, 0);
  // As it stands in the moment before the last commit of a move: this is the only one that is of use.
  const alone = await openAlone({ folder: other }, { log: silent, pid: process.pid, mustExist: true });
  await alone.setMark('arriving', { at: 1, move: 'evt_1', other: `the data folder ${env.POSTERN_DATA}` });
  await alone.release();

  const { code, notes } = await say(there, 'store', 'restore', backup);
  t.is(code, 1);
  t.regex(notes[0]!, /not empty.*--replace/);
  const wrong = { ...env, POSTERN_DATA: join(folder, 'wrong'), POSTERN_KEYS: join(folder, 'wrong-keys') };
  t.is((await say(wrong, 'user', 'add', 'bob@example.com')).code, 0);
  t.regex(
    await refusal(t, wrong, '--to', `file:${other}`),
    /other holds what is moved there from the data folder .*data: end that move first, by the same command/,
  );
  const after = await openAlone({ folder: other }, { log: silent, pid: process.pid, mustExist: true });
  t.is((await after.counts()).accounts, 2);
  await after.release();
});

test('a move killed at any moment: never are both served, and the same command ends it', async (t) => {
  const { folder, env } = await storeOf(t, 2000);
  const kept = join(folder, 'kept');
  cpSync(env.POSTERN_DATA, kept, { recursive: true });
  const migrate = (url: string) =>
    spawn(process.execPath, [POSTERN, 'store', 'migrate', '--to', url, '--json'], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: 'ignore',
    });
  const seconds: number[] = [];
  for (let trial = 0; trial < 5; trial += 1) {
    rmSync(env.POSTERN_DATA, { recursive: true });
    cpSync(kept, env.POSTERN_DATA, { recursive: true });
    const { url } = await databases.create();
    const began = performance.now();
    const child = migrate(url);
    const ended = once(child, 'exit');
    // The first runs to its end, to know how long that takes; the others are killed in that time, most of them late.
    const killAt = trial === 0 ? undefined : seconds[0]! * (1 - trial * trial * 0.045);
    if (killAt !== undefined) await Promise.race([pause(killAt), ended]);
    if (killAt !== undefined) child.kill('SIGKILL');
    await ended;
    seconds.push(performance.now() - began);
    const there = { ...env, POSTERN_DATABASE_URL: url };
    const old = await say(env, 'user', 'list', '--json');
    const other = await say(there, 'user', 'list', '--json');
    const served = [old, other].filter((said) => said.code === 0 && said.json.length === 1);
    // For a moment neither is: all is in the new one, and the old one has just been taken out of service.
    t.true(served.length <= 1, `killed after ${killAt}`);
    const finish = await say(env, 'store', 'migrate', '--to', url, '--json');
    if (served[0] !== other) t.is(finish.code, 0, finish.notes.join());
    t.is((await say(there, 'user', 'list', '--json')).json.length, 1);
    t.is((await say(env, 'user', 'list')).code, 1);
  }
  t.log(`killed after ${seconds.slice(1).map(Math.round)} ms of ${Math.round(seconds[0]!)}`);
});
