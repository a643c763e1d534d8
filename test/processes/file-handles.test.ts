/** A process that has no file handle left. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { startProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';

const HANDLES = 100;

test('connections that are closed at once, since no file handle is left, are told of in the log, and that there are some again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-'));
  const server = await startProcess({ folder, handles: HANDLES });
  const connections: Socket[] = [];
  t.teardown(async () => {
    for (const connection of connections) connection.destroy();
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  const said = (word: string) => server.entries.find(({ msg }) => String(msg).includes(word));

  for (let i = 0; i < HANDLES; i += 1) connections.push(connect(server.port, '127.0.0.1').on('error', () => {}));
  await until(() => said('no file handle is left') !== undefined);
  t.like(said('no file handle is left'), { level: 'error', why: 'EMFILE' });
  await t.throwsAsync(fetch(`${server.url}/.well-known/jwks.json`), undefined, 'what it tells of');

  for (const connection of connections) connection.destroy();
  await until(() => said('there are file handles again') !== undefined);
  t.is((await fetch(`${server.url}/.well-known/jwks.json`).catch(() => undefined))?.ok, true);
  t.is(server.entries.filter(({ msg }) => String(msg).includes('no file handle is left')).length, 1);
});
