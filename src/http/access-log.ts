import type { Logger } from '../lib/index.ts';
import type { Tell } from './answered.ts';

/**
 * One line per request. The path is the endpoint table's own (`/interaction/:uid`), so that nothing a request carries in
 * its path or query reaches the log; a path that is in no row is not written at all. It is put together by hand: for
 * `JSON.stringify` of all of it a quick answer took a twentieth longer.
 */
export const accessLog =
  (logger: Logger): Tell =>
  ({ method, endpoint, status, aborted, took, address, clientId, error, refusalId }) => {
    const what = `"method":"${method}","path":"${endpoint?.path ?? '(unknown)'}"`;
    const how = `"status":${status}${aborted ? ',"aborted":true' : ''},"ms":${Math.round(took * 10) / 10}`;
    const whose = member('address', address) + member('client_id', clientId);
    logger.known(`${what},${how}${whose}${member('error', error)}${member('refusal', refusalId)}`, 'request');
  };

const member = (name: string, text: string | undefined): string =>
  text === undefined ? '' : `,"${name}":${JSON.stringify(text)}`;
