import { Refusal } from '../lib/index.ts';
import type { ErrorReason } from './pages.ts';

interface Details {
  /** The HTTP status. */
  readonly status: number;
  /** The OAuth error code (RFC 6749 §5.2) a program is told. */
  readonly error?: string;
  /** Says it on the error page, in the person's language. */
  readonly reason?: ErrorReason;
  /** The rule that refused, for the log and `postern explain`; the sentence where absent. */
  readonly rule?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What was asked, beside method and path, for `postern explain`. */
  readonly asked?: Readonly<Record<string, unknown>>;
  /** A path where a person may try again. */
  readonly retry?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The edge, or a room that serves pages, refuses a request: a 4xx with a sentence that is safe to show. {@link failures}
 * turns it into a page or into OAuth's JSON.
 */
export class HttpRefusal extends Refusal {
  readonly status: number;
  readonly error: string;
  readonly reason: ErrorReason;
  readonly rule: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly asked: Readonly<Record<string, unknown>>;
  readonly retry: string | undefined;

  constructor(code: string, sentence: string, details: Details) {
    super(code, sentence, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'HttpRefusal';
    this.status = details.status;
    this.error = details.error ?? 'invalid_request';
    this.reason = details.reason ?? 'request';
    this.rule = details.rule ?? sentence;
    this.headers = details.headers ?? {};
    this.asked = details.asked ?? {};
    this.retry = details.retry;
  }
}
