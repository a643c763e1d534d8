import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Middleware } from 'koa';
import type { Endpoint } from './endpoints.ts';
import { errorOf } from './outcome.ts';
import { stateOf } from './state.ts';

/** What there is to tell of a request when its answer is over. Nothing in it was written by whoever asked. */
export interface Answered extends Asked {
  readonly status: number;
  /** The connection was gone before the answer was whole. */
  readonly aborted: boolean;
  /** From the request's headers to the end of the answer, in milliseconds. */
  readonly took: number;
}

interface Asked {
  readonly method: string;
  /** Its row of the endpoint table. */
  readonly endpoint: Endpoint | undefined;
  readonly address: string | undefined;
  readonly clientId?: string | undefined;
  /** An OAuth error code of outcome.ts. */
  readonly error?: string | undefined;
  readonly refusalId?: string | undefined;
}

export type Tell = (answered: Answered) => void;

/** Tells of an answer once it is over, when it also asks what was asked. */
function whenAnswered(res: ServerResponse, tell: Tell, asked: () => Asked): void {
  const started = performance.now();
  res.on('close', () =>
    tell({
      ...asked(),
      status: res.statusCode,
      aborted: !res.writableFinished,
      took: performance.now() - started,
    }),
  );
}

/**
 * A request that is answered in one piece. It is told of where it is answered, once the system has taken all of that: to
 * wait for the connection to say so costs a document a twentieth.
 */
export class Exchange {
  /** Who asks: the person's IP address. */
  readonly address: string;
  readonly #method: string;
  readonly #res: ServerResponse;
  readonly #endpoint: Endpoint;
  readonly #tell: Tell;
  readonly #started = performance.now();
  #clientId: string | undefined;
  #onClose: (() => void) | undefined;

  constructor(req: IncomingMessage, res: ServerResponse, endpoint: Endpoint, address: string, tell: Tell) {
    this.address = address;
    this.#method = req.method ?? '';
    this.#res = res;
    this.#endpoint = endpoint;
    this.#tell = tell;
  }

  /** To be called where the answer is not given at once: should whoever asks leave before, that is told. */
  wait(): void {
    if (this.#onClose) return;
    this.#onClose = () => this.#over(!this.#res.writableFinished);
    // A connection that is gone does not say so again.
    if (this.#res.closed) this.#onClose();
    else this.#res.on('close', this.#onClose);
  }

  /** Leaves it to somebody else to answer, and to tell of it. */
  leave(): void {
    if (this.#onClose) this.#res.off('close', this.#onClose);
  }

  /**
   * Gives all of the body behind the head that was written.
   * @param encoding `latin1` for plain ASCII alone, which goes out in one piece with its head
   */
  end(text: string, encoding: 'latin1' | 'utf8', clientId?: string): void {
    this.#clientId = clientId;
    this.#res.end(text, encoding);
    if (isOut(this.#res)) {
      this.leave();
      this.#over(false);
    } else this.wait();
  }

  #over(aborted: boolean): void {
    this.#tell({
      method: this.#method,
      endpoint: this.#endpoint,
      address: this.address,
      clientId: this.#clientId,
      status: this.#res.statusCode,
      aborted,
      took: performance.now() - this.#started,
    });
  }
}

/** Whether the system has taken all of an answer that was ended. Of a connection that is over it has taken nothing. */
const isOut = ({ closed, socket }: ServerResponse): boolean =>
  !closed && socket !== null && socket.writable && socket.writableLength === 0;

/** The middleware that tells of every answer, in the log and in the metrics. */
export const tellAnswered =
  (tell: Tell): Middleware =>
  (ctx, next) => {
    whenAnswered(ctx.res, tell, () => {
      const { endpoint, clientId, refusalId, address } = stateOf(ctx);
      return { method: ctx.method, endpoint, address, clientId, error: errorOf(ctx), refusalId };
    });
    return next();
  };

export const tellAll =
  (...listeners: readonly Tell[]): Tell =>
  (answered) => {
    for (const tell of listeners) tell(answered);
  };
