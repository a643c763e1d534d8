import type { IncomingMessage } from 'node:http';
import { parse } from 'node:querystring';
import { STATIC_SCOPES } from './scopes.ts';

/** What a machine asks for, with the secret by which it proves itself. */
export interface MachineRequest {
  readonly clientId: string;
  readonly secret: string;
  readonly scopes: readonly string[];
  readonly resource: string | undefined;
}

const LONGEST = 4096;

/** Headers by which a request asks for more than the plain answer: CORS, DPoP, another encoding. */
const MEANS_MORE = [
  'origin',
  'dpop',
  'oauth-client-attestation',
  'oauth-client-attestation-pop',
  'content-encoding',
  'transfer-encoding',
  'expect',
];

const FORM = /^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i;

/** The length of the form where this may be the plainest of token requests, else undefined. */
export function plainLength({ method, url, headers }: IncomingMessage): number | undefined {
  if (method !== 'POST' || url !== '/token' || !FORM.test(headers['content-type'] ?? '')) return undefined;
  for (const name of MEANS_MORE) if (name in headers) return undefined;
  const length = headers['content-length'] ?? '';
  return /^[1-9]\d{0,3}$/.test(length) && Number(length) <= LONGEST ? Number(length) : undefined;
}

const PRINTABLE = /^[!-~]*$/;
const PARAMETERS = new Set(['grant_type', 'scope', 'resource', 'client_id', 'client_secret']);
/** As we issue them, so that nothing about their encoding is left to be told. */
const BASIC = /^basic ((?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?)$/i;
const PAIR = /^([\w-]+):([\w-]+)$/;

/**
 * A client credentials request (RFC 6749 §4.4) in which there is nothing to be refused as far as it tells by itself, or
 * undefined: unknown parameters, doubled ones, empty ones, two ways of proving oneself are left to the engine.
 */
export function readMachineRequest(authorization: string | undefined, body: string): MachineRequest | undefined {
  if (!PRINTABLE.test(body)) return undefined;
  const form = parse(body);
  for (const name in form) if (!PARAMETERS.has(name) || typeof form[name] !== 'string' || !form[name]) return undefined;
  const { grant_type, scope, resource, client_id, client_secret } = form as Record<string, string | undefined>;
  if (grant_type !== 'client_credentials') return undefined;
  const proof = authorization === undefined ? posted(client_id, client_secret) : basic(authorization);
  if (!proof || (authorization !== undefined && client_secret !== undefined)) return undefined;
  if (client_id !== undefined && client_id !== proof.clientId) return undefined;
  const scopes = [...new Set(scope?.split(' '))];
  if (scopes.some((word) => !word || (STATIC_SCOPES as readonly string[]).includes(word))) return undefined;
  return { ...proof, scopes, resource };
}

const posted = (clientId: string | undefined, secret: string | undefined) =>
  clientId && secret ? { clientId, secret } : undefined;

function basic(authorization: string): { clientId: string; secret: string } | undefined {
  const [, encoded] = BASIC.exec(authorization) ?? [];
  const [, clientId, secret] = PAIR.exec(encoded ? Buffer.from(encoded, 'base64').toString('latin1') : '') ?? [];
  return clientId && secret ? { clientId, secret } : undefined;
}
