import type { IncomingMessage } from 'node:http';

/**
 * Looks at a body that is so many bytes long, without taking it away from whoever reads the request next.
 * @param seen gets it, or undefined where it came in several pieces or not at all; never called where the client left. Who
 * does not answer it at once calls `giveBack` at once, before anybody else has the request.
 * It runs in whatever context the bytes came in: taking the request's along (`AsyncLocalStorage.bind`) would keep requests
 * alive until the next full garbage collection, for a third of the speed.
 */
export function lookAtBody(
  req: IncomingMessage,
  length: number,
  seen: (body: Buffer | undefined, giveBack: () => void) => void,
): void {
  req.once('readable', () => {
    if (req.destroyed) return;
    const body = req.read() as Buffer | null;
    // In the same turn: after it the request would have ended, and nothing can be given back.
    const giveBack = () => void (body && req.unshift(body));
    if (body?.length === length) return seen(body, giveBack);
    giveBack();
    seen(undefined, giveBack);
  });
}
