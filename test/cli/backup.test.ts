/** `postern store backup`, `verify` and `restore` as an operator meets them. */
import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { Taken } from '../../src/cli/backup.ts';
import { silent } from '../../src/lib/index.ts';
import { openStore } from '../../src/store/open.ts';
import { say } from '../support/cli.ts';
import { collected } from '../support/collected.ts';
import { issueTo } from '../support/issued.ts';
import { PASSWORD } from '../support/postern.ts';
import { type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { envOf, folderOf, POSTERN, postern, serving } from './command-line.ts';

let databases: DatabaseServer;
test.before(async () => {
  databases = await startDatabaseServer();
});
test.after.always(() => databases?.remove());

/** A store with somebody in it, and a backup of it. */
async function backedUp(t: ExecutionContext) {
  const folder = folderOf(t);
  const env = envOf(folder);
  await say(env, 'user', 'add', 'ada@example.com');
  const file = join(folder, 'backup');
  const taken = await say(env, 'store', 'backup', file, '--json');
  t.is(taken.code, 0, taken.notes.join());
  return { folder, env, file, taken: taken.json };
}

async function refused(t: ExecutionContext, env: Record<string, string>, ...args: string[]): Promise<string> {
  const { code, out, notes } = await say(env, 'store', ...args);
  t.is(code, 1);
  t.is(out, '');
  t.is(notes.length, 1);
  return notes[0]!;
}

const emails = async (env: Record<string, string>): Promise<string[]> =>
  (await say(env, 'user', 'list', '--json')).json.map(({ email }: { email: string }) => email);

test('a backup is for its owner alone, holds everything, and says so', async (t) => {
  const { env, file, taken } = await backedUp(t);
  t.is(statSync(file).mode & 0o777, 0o600);
  t.is(taken.rows.accounts, 1);
  t.is(taken.bytes, statSync(file).size);
  const { json } = await say(env, 'store', 'verify', file, '--json');
  t.like(json, { taken_at: taken.taken_at, total: taken.total, bytes: taken.bytes, engine: 'file' });
  t.deepEqual(json.rows, taken.rows);
});

test('whoever stops a backup half way finds the one before, and nothing else', async (t) => {
  const { folder, env, file } = await backedUp(t);
  const before = readFileSync(file);
  const over = Promise.withResolvers<Taken>();
  await serving(t, folder, async function* () {
    yield Buffer.from('half of it\n');
    return over.promise;
  });
  t.teardown(() => over.resolve({ taken_at: null, rows: {}, total: 0 }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const child = spawn(process.execPath, [POSTERN, 'store', 'backup', file], {
      env: { PATH: process.env['PATH'], ...env },
    });
    const ended = collected(child);
    await until(() => readdirSync(folder).some((name) => name.endsWith('.new')));
    child.kill(signal);
    t.is((await ended).signal, signal);
    t.deepEqual(readdirSync(folder).toSorted(), ['backup', 'data', 'keys']);
    t.deepEqual(readFileSync(file), before);
  }
});

test('where there is no store none is made, and its backup is refused', async (t) => {
  const folder = folderOf(t);
  const said = await refused(t, envOf(folder), 'backup', join(folder, 'backup'));
  t.regex(said, /there is no master key in .*keys/);
  const masterKey = Buffer.alloc(32, 7).toString('base64url');
  const keyed = { ...envOf(folder), POSTERN_MASTER_KEY: masterKey };
  t.regex(await refused(t, keyed, 'backup', join(folder, 'backup')), /there is no store in .*data/);
  t.deepEqual(readdirSync(folder), []);
});

test('nothing that was issued can be read in a backup', async (t) => {
  const folder = folderOf(t);
  const added = await postern(folder, ['user', 'add', 'ada@example.com', '--password-stdin'], `${PASSWORD}\n`);
  t.is(added.code, 0, added.stderr);
  const client = (await postern(folder, ['client', 'add', 'X', '--type', 'service', '--json'])).json;
  const file = join(folder, 'backup');
  t.is((await postern(folder, ['store', 'backup', file])).code, 0);
  const text = readFileSync(file, 'utf8');
  t.true(text.includes(client.client_id));
  for (const secret of [PASSWORD, client.client_secret, 'PRIVATE KEY', '"d":']) t.false(text.includes(secret), secret);
});

test('a backup that is cut short or changed anywhere is refused, and not one row of it comes back', async (t) => {
  const { folder, env, file } = await backedUp(t);
  const whole = readFileSync(file);
  const bad = join(folder, 'bad');
  const into = { ...env, POSTERN_DATA: join(folder, 'other') };
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, by, cut) => {
      const bytes = cut ? whole.subarray(0, at) : Buffer.from(whole);
      if (!cut) bytes[at]! ^= by;
      writeFileSync(bad, bytes);
      t.regex(await refused(t, env, 'verify', bad), /damaged|cut short|no backup|was changed|another master key|newer/);
    }),
    { numRuns: 60 },
  );
  writeFileSync(bad, whole.subarray(0, whole.length - 10));
  t.regex(await refused(t, into, 'restore', bad), /it was cut short after line \d+/);
  t.false(existsSync(into.POSTERN_DATA));
});

test('a restore lists what was changed of applications and APIs since, and which secrets and keys are good again', async (t) => {
  const folder = folderOf(t);
  const env = envOf(folder);
  const keys = (): string => {
    const file = join(folder, 'client.jwks');
    const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
    writeFileSync(file, JSON.stringify({ keys: [jwk] }));
    return file;
  };
  const add = async (...args: string[]): Promise<string> =>
    (await say(env, 'client', 'add', args[0]!, '--type', 'service', ...args.slice(1), '--json')).json.client_id;
  await say(env, 'resource', 'add', 'urn:api:one', '--scope', 'read');
  await say(env, 'resource', 'add', 'urn:api:two');
  const [rotated, kept, keyed, other, unkeyed, renamed] = [
    await add('Rotated'),
    await add('Rotated, the old one kept'),
    await add('Keyed'),
    await add('Other keys', '--jwks', keys()),
    await add('Unkeyed', '--jwks', keys()),
    await add('Renamed', '--jwks', keys()),
  ];
  await add('Same', '--jwks', keys());
  const file = join(folder, 'backup');
  await say(env, 'store', 'backup', file);
  await say(env, 'resource', 'update', 'urn:api:one', '--no-scope');
  await say(env, 'client', 'rotate-secret', rotated);
  await say(env, 'client', 'rotate-secret', kept, '--keep-old-for', '1d');
  await say(env, 'client', 'update', keyed, '--jwks', keys());
  await say(env, 'client', 'update', other, '--jwks', keys());
  await say(env, 'client', 'update', unkeyed, '--no-jwks');
  await say(env, 'client', 'update', renamed, '--name', 'Renamed since');
  const { undone } = (await say(env, 'store', 'restore', file, '--replace', '--json')).json;
  const named = (what: string): string[] => undone[what].first.toSorted();
  t.deepEqual(
    named('client_secrets_back'),
    [
      `Keyed (${keyed})`,
      `Other keys (${other})`,
      `Rotated (${rotated})`,
      `Rotated, the old one kept (${kept})`,
      `Unkeyed (${unkeyed})`,
    ].toSorted(),
  );
  t.deepEqual(named('clients_changed'), [`Renamed (${renamed})`]);
  t.deepEqual(named('resources_changed'), ['urn:api:one']);
});

test('what is no backup, or another master key’s, is told apart', async (t) => {
  const { folder, env, file } = await backedUp(t);
  const other = envOf(folderOf(t));
  await say(other, 'user', 'list');
  t.regex(await refused(t, other, 'verify', file), /was made under another master key: put the keys folder/);
  t.regex(await refused(t, other, 'restore', file), /was made under another master key/);
  t.regex(await refused(t, env, 'verify', join(folder, 'none')), /is not there/);
  t.regex(await refused(t, env, 'verify', folder), /is a folder, not a backup/);
  t.regex(await refused(t, env, 'verify', '/bin/sh'), /is no backup of Postern/);
  const newer = readFileSync(file, 'utf8').replace('"postern-backup",1', '"postern-backup",2');
  writeFileSync(join(folder, 'newer'), newer);
  t.regex(await refused(t, env, 'verify', join(folder, 'newer')), /newer Postern|damaged/);
});

test('a backup replaces a backup, and nothing else', async (t) => {
  const { folder, env, file } = await backedUp(t);
  await say(env, 'user', 'add', 'eve@example.com');
  const again = await say(env, 'store', 'backup', file, '--json');
  t.is(again.json.rows.accounts, 2);
  const letter = join(folder, 'letter');
  writeFileSync(letter, 'Dear Ada');
  t.regex(await refused(t, env, 'backup', letter), /is there already, and is no backup of Postern/);
  t.is(readFileSync(letter, 'utf8'), 'Dear Ada');
  t.regex(await refused(t, env, 'backup', join(folder, 'none', 'backup')), /there is no such folder/);
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  t.regex(await refused(t, env, 'backup', pipe), /is there already, and is no backup of Postern/);
  t.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.new')),
    [],
  );
});

test('a backup that comes through a pipe can be verified; to restore it, it has to be a file', async (t) => {
  const { folder, env, file } = await backedUp(t);
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const piped = () => writeFile(pipe, readFileSync(file));
  const [verified] = await Promise.all([say(env, 'store', 'verify', pipe, '--json'), piped()]);
  t.is(verified.json.rows.accounts, 1);
  const [refusal] = await Promise.all([refused(t, env, 'restore', pipe, '--replace'), piped()]);
  t.regex(refusal, /is no file, and can be read only once: write it to a file first/);
  t.deepEqual(await emails(env), ['ada@example.com']);
});

test('a restore wants an empty store, or --replace, and nobody who serves it', async (t) => {
  const { folder, env, file } = await backedUp(t);
  await say(env, 'user', 'add', 'eve@example.com');
  t.regex(await refused(t, env, 'restore', file), /not empty.*--replace/);
  const server = await serving(t, folder);
  t.regex(await refused(t, env, 'restore', file, '--replace'), /stop the server first/);
  await server.close();
  t.deepEqual((await emails(env)).toSorted(), ['ada@example.com', 'eve@example.com']);
  const { json } = await say(env, 'store', 'restore', file, '--replace', '--json');
  t.deepEqual(await emails(env), ['ada@example.com']);
  t.is(json.undone.people_gone.total, 1);
});

test('a backup of the files restores into PostgreSQL, and one of that into files', async (t) => {
  const { folder, env, file } = await backedUp(t);
  const { url } = await databases.create();
  const there = { ...env, POSTERN_DATABASE_URL: url };
  t.is((await say(there, 'store', 'restore', file)).code, 0);
  t.deepEqual(await emails(there), ['ada@example.com']);
  const store = await openStore({ settings: { data: '', database_url: url }, log: silent, pid: 1, mustExist: true });
  t.regex(await refused(t, there, 'restore', file, '--replace'), /stop every server on it first/);
  const second = join(folder, 'second');
  // While somebody serves it.
  t.is((await say(there, 'store', 'backup', second)).code, 0);
  await store.close();
  t.like((await say(there, 'store', 'verify', second, '--json')).json, { engine: 'postgres' });
  const back = { ...env, POSTERN_DATA: join(folder, 'back') };
  t.is((await say(back, 'store', 'restore', second)).code, 0);
  t.deepEqual(await emails(back), ['ada@example.com']);
});

test('a role that serves a database restores into it once it may truncate, and is told so', async (t) => {
  const { env, file } = await backedUp(t);
  const { name, url, query } = await databases.create();
  t.is((await say({ ...env, POSTERN_DATABASE_URL: url }, 'store', 'restore', file)).code, 0);
  const role = `serving_${name}`;
  await query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA postern TO ${role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA postern TO ${role};
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA postern TO ${role}`);
  const there = {
    ...env,
    POSTERN_DATABASE_URL: Object.assign(new URL(url), { username: role, password: 'x' }).href,
  };
  t.is((await say(there, 'user', 'add', 'eve@example.com')).code, 0);
  t.regex(await refused(t, there, 'restore', file, '--replace'), /restore or a move into it TRUNCATE on its tables/);
  t.deepEqual((await emails(there)).toSorted(), ['ada@example.com', 'eve@example.com']);
  await query(`GRANT TRUNCATE ON ALL TABLES IN SCHEMA postern TO ${role}`);
  t.is((await say(there, 'store', 'restore', file, '--replace')).code, 0);
  t.deepEqual(await emails(there), ['ada@example.com']);
});

test('a copy of the folder, put back, is made safe by a backup of it that replaces it', async (t) => {
  const { folder, env, file } = await backedUp(t);
  const server = await serving(t, folder);
  await issueTo(server.store, 'usr_1', 'cli_x');
  await server.close();
  t.is((await say(env, 'store', 'backup', file)).code, 0);
  const { json } = await say(env, 'store', 'restore', file, '--replace', '--json');
  for (const table of ['sessions', 'grants', 'authorization_codes', 'access_tokens', 'refresh_tokens']) {
    t.is(json.ended[table], 1, table);
    t.is(json.rows[table], undefined, table);
  }
  t.deepEqual(await emails(env), ['ada@example.com']);
});

test('a backup taken while commits go on holds all of each or nothing of it', async (t) => {
  const folder = folderOf(t);
  const server = await serving(t, folder);
  let stopped = false;
  let acknowledged = 0;
  const working = Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      while (!stopped) {
        await issueTo(server.store, `usr_${i}`, 'cli_x');
        acknowledged += 1;
      }
    }),
  );
  const file = join(folder, 'backup');
  for (let round = 0; round < 3; round += 1) {
    const before = acknowledged;
    const taken = await postern(folder, ['store', 'backup', file, '--json']);
    t.is(taken.code, 0, taken.stderr);
    const { rows } = taken.json;
    // Each of these commits wrote one row to each of these.
    const counts = ['sessions', 'grants', 'authorization_codes', 'access_tokens', 'refresh_tokens'].map(
      (name) => rows[name],
    );
    t.is(new Set(counts).size, 1, counts.join());
    t.true(counts[0] >= before);
    t.is((await postern(folder, ['store', 'verify', file])).code, 0);
  }
  stopped = true;
  await working;
  t.log(`${acknowledged} commits meanwhile`);
});
