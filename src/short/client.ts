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
/** Whoever follows RFC 6749 §2.3.1 to the letter writes it as a form's; some escape all they may (`oauth4webapi`). */
const PAIR = /^((?:[\w-]|%2D|%5F)+):((?:[\w-]|%2D|%5F)+)$/i;
const written = (part: string | undefined) => part?.replaceAll(/%2D/gi, '-').replaceAll(/%5F/gi, '_');

/** Undefined where it is said in two ways or not clearly: that is the engine's to judge (RFC 6749 §2.3). */
export function readProof(authorization: string | undefined, { client_id, client_secret }: Form): Proof | undefined {
  if (authorization === undefined) return client_id ? { clientId: client_id, secret: client_secret } : undefined;
  const [, encoded] = BASIC.exec(authorization) ?? [];
  const pair = PAIR.exec(encoded ? Buffer.from(encoded, 'base64').toString('latin1') : '');
  const [clientId, secret] = [written(pair?.[1]), written(pair?.[2])];
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
