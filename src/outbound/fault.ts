/** Why a request was not made, or its answer not taken. */
type OutboundFault =
  /** It would have gone where it must not. */
  | 'forbidden'
  /** Nobody answered in time. */
  | 'slow'
  /** The answer is larger than it may be, or no HTTP. */
  | 'unreadable'
  /** There is no such host, or nobody there, or the connection broke. */
  | 'unreachable';

/** A request to another server that came to nothing. The message names the host, never a path or a secret. */
export class OutboundError extends Error {
  readonly fault: OutboundFault;

  constructor(fault: OutboundFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OutboundError';
    this.fault = fault;
  }
}
