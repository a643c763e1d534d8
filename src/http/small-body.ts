import type { IncomingMessage } from 'node:http';

/** A body that was read whole. */
interface Taken {
  readonly body: Buffer;
  /**
   * Leaves it to whoever reads the request next: to be called at once, unless the request is answered here. Later the request
   * would have ended, and nothing can be given back.
   */
  giveBack(): void;
}

/**
 * Takes a body that is so many bytes long.
 * @param then never called where the client left. It gets nothing where the body came in several pieces or not at all: that
 * is left to whoever reads the request next. It runs in whatever context the bytes came in: taking the request's along
 * (`AsyncLocalStorage.bind`) would keep requests alive until the next full garbage collection, for a third of the speed.
 */
export function takeBody(req: IncomingMessage, length: number, then: (taken: Taken | undefined) => void): void {
  req.once('readable', () => {
    if (req.destroyed) return;
    const body = req.read() as Buffer | null;
    if (body?.length === length) return then({ body, giveBack: () => void req.unshift(body) });
    if (body) req.unshift(body);
    then(undefined);
  });
}
