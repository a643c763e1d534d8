import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Half the time of a start is making the sources runnable: Node keeps that as under `npm start`. In the environment of every
 * server that tests start; whole, since some run in folders of their own.
 */
export const COMPILED = {
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../../node_modules/.cache/node-compile', import.meta.url)),
};

/** Of a server in a process of its own: nothing of the tests' but the path, any free ports, data and keys in that folder. */
export const environmentOf = (folder: string) => ({
  PATH: process.env['PATH'],
  ...COMPILED,
  POSTERN_PORT: '0',
  POSTERN_OPS_PORT: '0',
  POSTERN_DATA: join(folder, 'data'),
  POSTERN_KEYS: join(folder, 'keys'),
});
