import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { networksOf } from '../lib/index.ts';
import { addressOf } from './address.ts';
import { Exchange, type Tell } from './answered.ts';
import type { Endpoint } from './endpoints.ts';
import { fixedHeaders } from './headers.ts';

/**
 * Answers the plainest requests before Koa sees them, for speed alone: its answer is the one they would get otherwise. To
 * all others it does nothing and calls `next`, with an error where it could not do what it had begun: {@link failedInFront}
 * then tells of that, and the request is not begun again.
 */
export type Front = (req: IncomingMessage, res: ServerResponse, next: (failure?: Error) => void) => void;

const failures = new WeakMap<IncomingMessage, Error>();

/** Asks one after the other, and then whoever answers everything. */
export const inFront = (fronts: readonly Front[], whole: RequestListener): RequestListener =>
  fronts.reduceRight<RequestListener>(
    (next, front) => (req, res) =>
      front(req, res, (failure) => {
        if (failure) failures.set(req, failure);
        next(req, res);
      }),
    whole,
  );

/** @throws whatever failed before the request came this far. */
export function failedInFront(req: IncomingMessage): void {
  const failure = failures.get(req);
  if (failure) throw failure;
}

interface Options {
  readonly issuer: string;
  readonly trustedProxies: readonly string[];
  readonly tell: Tell;
}

export type FrontDesk = ReturnType<typeof createFrontDesk>;

/** What the middlewares do for every answer, for those that are given without them. */
export function createFrontDesk({ issuer, trustedProxies, tell }: Options) {
  const trusted = networksOf(trustedProxies);
  const fixed = fixedHeaders(issuer);
  /** Of connections on behalf of nobody else. */
  const peers = new WeakMap<Socket, string>();

  function addressFor({ socket, headers }: IncomingMessage): string {
    const forwarded = headers['x-forwarded-for'];
    if (forwarded !== undefined) return addressOf(socket.remoteAddress, forwarded, trusted);
    let peer = peers.get(socket);
    if (peer === undefined) {
      peer = addressOf(socket.remoteAddress, undefined, trusted);
      peers.set(socket, peer);
    }
    return peer;
  }

  return {
    /** The headers of an endpoint's answers and some more, as `writeHead` takes them fastest: names and values in turn. */
    headers: ({ kind }: Endpoint, more: Readonly<Record<string, string>>): string[] =>
      Object.entries({ ...fixed[kind], ...more }).flat(),

    /** A request that may be answered here. What goes the whole way after all is left to those who answer there. */
    open: (req: IncomingMessage, res: ServerResponse, endpoint: Endpoint): Exchange =>
      new Exchange(req, res, endpoint, addressFor(req), tell),
  };
}
