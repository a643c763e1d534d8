import type { Logger } from '../lib/index.ts';
import type { Tell } from './answered.ts';

/**
 * One line per request. The path is the endpoint table's own (`/interaction/:uid`), so that nothing a request carries in
 * its path or query reaches the log; a path that is in no row is not written at all.
 */
export const accessLog =
  (logger: Logger): Tell =>
  ({ method, endpoint, status, aborted, took, address, clientId, error, refusalId }) =>
    logger.known(
      {
        method,
        path: endpoint?.path ?? '(unknown)',
        status,
        aborted: aborted || undefined,
        ms: Math.round(took * 10) / 10,
        address,
        client_id: clientId,
        error,
        refusal: refusalId,
      },
      'request',
    );
