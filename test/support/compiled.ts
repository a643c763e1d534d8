import { fileURLToPath } from 'node:url';

/**
 * Half the time of a start is making the sources runnable: Node keeps that as under `npm start`. In the environment of every
 * server that tests start; whole, since some run in folders of their own.
 */
export const COMPILED = {
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../../node_modules/.cache/node-compile', import.meta.url)),
};
