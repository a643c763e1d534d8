import { type Domain, oldSecrets, type RegisteredClient } from '../domain/index.ts';
import type { Grounds } from './grounds.ts';
import type { Form } from './way.ts';

/** Who says it asks, and by what it proves that. */
export interface Proof {
  readonly clientId: string;
  /** None of a client that cannot keep one. */
  readonly secret?: string | undefined;
}

/** As we issue them, so that nothing about their encoding is left to be told. */
const BASIC = /^basic ((?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?)$/i;
const PAIR = /^([\w-]+):([\w-]+)$/;

/** Undefined where it is said in two ways or not clearly: that is the engine's to judge (RFC 6749 §2.3). */
export function readProof(authorization: string | undefined, { client_id, client_secret }: Form): Proof | undefined {
  if (authorization === undefined) return client_id ? { clientId: client_id, secret: client_secret } : undefined;
  const [, encoded] = BASIC.exec(authorization) ?? [];
  const [, clientId, secret] = PAIR.exec(encoded ? Buffer.from(encoded, 'base64').toString('latin1') : '') ?? [];
  if (!clientId || client_secret !== undefined || (client_id !== undefined && client_id !== clientId)) return undefined;
  return { clientId, secret };
}

/** The client, where the proof is the one it is registered with, and good. */
export async function authenticate(
  { get, verifySecret }: Pick<Domain['clients'], 'get' | 'verifySecret'>,
  { clientId, secret }: Proof,
  grounds?: Grounds,
): Promise<RegisteredClient | undefined> {
  // Before it is judged: of a client that changes in between, the grounds are old and do not stand.
  await grounds?.get('clients', clientId);
  const client = await get(clientId);
  if (client?.tokenEndpointAuthMethod !== (secret === undefined ? 'none' : 'client_secret_basic')) return undefined;
  for (const { until } of oldSecrets(client)) grounds?.until(until);
  return secret === undefined || verifySecret(client, secret) ? client : undefined;
}
