import test from 'ava';
import { silent } from '../../src/lib/index.ts';
import { openPostgresStore } from '../../src/store/postgres/index.ts';
import { type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { contract } from './contract.ts';

let server: DatabaseServer;
test.before(async () => {
  server = await startDatabaseServer();
});
test.after.always(() => server?.remove());

contract('postgres', async () => {
  const { name, url } = await server.create();
  return {
    open: (now) => openPostgresStore({ url, now, log: silent }),
    remove: () => server.drop(name),
  };
});
