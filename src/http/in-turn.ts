import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

type Waiting = readonly [req: IncomingMessage, res: ServerResponse];

/**
 * Answers the requests of one connection one after the other. Node hands them over as fast as they are read, so that a few
 * connections that send thousands without waiting for answers (pipelining, RFC 9112 §9.3.2) would have thousands answered
 * at once, and everybody else wait behind them.
 */
export function inTurn(handler: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, Waiting[]>();

  function next(socket: Socket): void {
    const queue = waiting.get(socket);
    const one = queue?.shift();
    if (!queue || !one || socket.destroyed) return;
    const [req, res] = one;
    if (queue.length > 0) afterwards(res, socket);
    else {
      waiting.delete(socket);
      goOnReading(socket);
    }
    handler(req, res);
  }

  /** In another turn of the event loop, so that other connections have theirs. */
  function afterwards(res: ServerResponse, socket: Socket): void {
    res.once('close', () => setImmediate(next, socket));
  }

  return (req, res) => {
    // Node gives an answer its connection when those before it are over.
    if (res.socket) return handler(req, res);
    const { socket } = req;
    const queue = waiting.get(socket);
    if (queue) return void queue.push([req, res]);
    waiting.set(socket, [[req, res]]);
    stopReading(socket);
    const before = answerUnderWay(socket);
    if (before) afterwards(before, socket);
  };
}

/** What Node itself goes by where a client sends faster than it takes answers: a mere `pause` it would undo. */
interface Reading extends Socket {
  _paused?: boolean;
  readonly parser?: { resume(): void } | null;
}

function stopReading(socket: Reading): void {
  socket._paused = true;
  socket.pause();
}

function goOnReading(socket: Reading): void {
  socket._paused = false;
  socket.parser?.resume();
  socket.resume();
}

/**
 * The answer a connection waits for. Node keeps it there from the request to the end of its answer; to keep it once more
 * would cost every request.
 */
export const answerUnderWay = (socket: Socket): ServerResponse | undefined =>
  (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
