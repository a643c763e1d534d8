/**
 * Who imports `node:http` gets all of it, and with it, for three names nobody here uses, the whole of undici: 40 ms of
 * every start and 7 MB. Imported for its effect, before anything that imports `node:http`.
 */
import { createRequire } from 'node:module';

const http = createRequire(import.meta.url)('node:http') as object;
for (const name of ['WebSocket', 'CloseEvent', 'MessageEvent'])
  Object.defineProperty(http, name, { value: undefined, configurable: true, enumerable: true, writable: true });
