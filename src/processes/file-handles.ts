import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { type Duration, type Logger, minutes, seconds } from '../lib/index.ts';

const ASK_EVERY = seconds(1);
const TELL_EVERY: Duration = minutes(1);

/**
 * Says in the log when the process has no file handle left. Connections that come then are accepted and closed at once by
 * libuv, of which Node says nothing, so a handle is asked for now and then; in the thread that accepts, so that it is never
 * the one that a connection would have had.
 */
export function watchFileHandles(log: Logger): void {
  let out = false;
  let toldAt = Number.NEGATIVE_INFINITY;
  setInterval(() => {
    const code = missing();
    if (code && performance.now() - toldAt >= TELL_EVERY) {
      toldAt = performance.now();
      out = true;
      log.error(
        { why: code },
        'no file handle is left: new connections are closed at once; raise the limit (ulimit -n)',
      );
    }
    if (!code && out) {
      out = false;
      log.info({}, 'there are file handles again');
    }
  }, ASK_EVERY).unref();
}

/** `EMFILE` where the process has used up its own, `ENFILE` where the machine has. */
function missing(): string | undefined {
  try {
    closeSync(openSync(devNull, 'r'));
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EMFILE' || code === 'ENFILE' ? code : undefined;
  }
}
