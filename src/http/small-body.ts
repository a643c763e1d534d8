import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';

/**
 * Looks at a body that is so many bytes long, without taking it away from whoever reads the request next.
 * @param seen gets it, or undefined where it came in several pieces or not at all; never called where the client left.
 */
export function lookAtBody(req: IncomingMessage, length: number, seen: (body: Buffer | undefined) => void): void {
  // Bytes come when they come, on behalf of nobody: what is found in them is this request's.
  const look = AsyncLocalStorage.bind(() => {
    if (req.destroyed) return;
    const body = req.read() as Buffer | null;
    // In the same turn: after it the request would have ended, and nothing can be given back.
    if (body) req.unshift(body);
    seen(body?.length === length ? body : undefined);
  });
  req.once('readable', look);
}
