import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** A listener that takes its time. A client that leaves before it was understood is nobody's failure; all else still is. */
export const answering =
  (answer: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>): RequestListener =>
  (request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (request.complete) throw error;
    });
  };
