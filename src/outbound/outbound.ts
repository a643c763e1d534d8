import * as http from 'node:http';
import { isIP } from 'node:net';
import { isLoopback } from '../config/index.ts';
import { type Duration, parseAddress } from '../lib/index.ts';
import { OutboundError } from './fault.ts';
import { bounded, guardedLookup, type Resolve, systemResolve } from './lookup.ts';
import { createReach, type Reach } from './reach.ts';

export { OutboundError } from './fault.ts';

export interface OutboundOptions {
  /** Host names, addresses and CIDR ranges that may be reached although they are not public. */
  readonly allow: readonly string[];
  /** For the whole of a request: name, connection, answer. */
  readonly timeout: Duration;
  /** Bytes of an answer's body. */
  readonly most?: number;
  /** For tests. */
  readonly resolve?: Resolve;
}

interface OutboundRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Outbound {
  /**
   * `fetch`, held to the rules of this room. A redirect is an answer like any other.
   * @throws OutboundError
   */
  fetch(url: string | URL, request?: OutboundRequest): Promise<Response>;
  /** Why a URL can never be asked, in words that follow it; undefined where it may be. */
  fault(url: URL): string | undefined;
}

/** Far above any discovery document or key set, far below what hurts. */
const MOST = 512 * 1024;

/** Connections to one server at once; the others wait, for no longer than their own time. */
const SOCKETS = 64;

/** What whoever asks may read of an answer's headers. */
const READ = ['content-type', 'www-authenticate', 'retry-after', 'location'] as const;

/** How a scheme is spoken, and whose connections are counted together. */
interface Way {
  readonly request: typeof http.request;
  readonly agent: http.Agent;
}

export function createOutbound({ allow, timeout, most = MOST, resolve = systemResolve }: OutboundOptions): Outbound {
  const reach = createReach(allow);
  const lookup = guardedLookup(bounded(resolve), reach);
  const ways: Record<string, Way> = {};

  /** Begun when first asked for: TLS is 4 MB of Node, and many a server asks nobody. */
  async function wayOf(protocol: string): Promise<Way> {
    const { request, Agent } = protocol === 'https:' ? await import('node:https') : http;
    ways[protocol] ??= { request, agent: new Agent({ keepAlive: false, maxSockets: SOCKETS }) };
    return ways[protocol];
  }

  const fault = (url: URL) => faultOf(url, reach);

  return {
    fault,

    async fetch(address, { method = 'GET', headers = {}, body, signal } = {}) {
      const url = new URL(address);
      const wrong = fault(url);
      if (wrong) throw new OutboundError('forbidden', `${url.origin} ${wrong}`);
      const deadline = AbortSignal.timeout(timeout);
      const text = body == null ? undefined : String(body);
      const { request, agent } = await wayOf(url.protocol);
      const outgoing = request(url, {
        method,
        agent,
        lookup,
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
        headers: {
          'accept-encoding': 'identity',
          ...(body instanceof URLSearchParams && { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' }),
          ...headers,
          ...(text !== undefined && { 'content-length': Buffer.byteLength(text) }),
        },
      });
      try {
        return await answerTo(outgoing, text, most);
      } catch (error) {
        throw told(url, error, deadline);
      } finally {
        outgoing.destroy();
      }
    },
  };
}

function faultOf(url: URL, reach: Reach): string | undefined {
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url)))
    return 'must be https: plain http is for loopback addresses only';
  if (url.username || url.password) return 'must hold no user name';
  // Nobody looks an address up, so it is judged here.
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !reach.allows(host, parseAddress(host) ?? ''))
    return 'is a private network that outbound.allow does not name';
  return undefined;
}

async function answerTo(outgoing: http.ClientRequest, body: string | undefined, most: number): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  outgoing.on('response', resolve);
  // It stays: a connection may fail more than once, and an error nobody listens to ends the process.
  outgoing.on('error', reject);
  // The last there is to hear: where the other side goes over to another protocol (RFC 9110 §15.2.2), all there is.
  outgoing.on('close', () => reject(new OutboundError('unreadable', 'the answer is none of HTTP')));
  outgoing.end(body);
  const incoming = await promise;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw new OutboundError('unreadable', `the answer has more than ${most} bytes`);
    chunks.push(chunk);
  }
  const { statusCode = 0, headers } = incoming;
  if (statusCode < 200 || statusCode > 599)
    throw new OutboundError('unreadable', `the answer has status ${statusCode}`);
  const read = READ.flatMap((name): [string, string][] => (headers[name] ? [[name, String(headers[name])]] : []));
  return new Response(NO_BODY.has(statusCode) ? null : Buffer.concat(chunks), { status: statusCode, headers: read });
}

/** Fetch §2.2.3: these have none, and a `Response` refuses one. */
const NO_BODY = new Set([204, 205, 304]);

/** What went wrong, in words for the operator. */
function told(url: URL, error: unknown, deadline: AbortSignal): Error {
  const { host } = url;
  if (error instanceof OutboundError) return new OutboundError(error.fault, `${host}: ${error.message}`);
  if (deadline.aborted) return new OutboundError('slow', `${host} did not answer in time`, { cause: error });
  const { code = '', name, message } = error as NodeJS.ErrnoException;
  if (name === 'AbortError') return error as Error;
  if (code.startsWith('HPE_')) return new OutboundError('unreadable', `${host} does not speak HTTP (${code})`);
  return new OutboundError('unreachable', `${host} cannot be reached (${code || message})`, { cause: error });
}
