import * as oidc from 'openid-client';
import { discover, type Registered } from '../support/client.ts';
import type { Postern } from '../support/postern.ts';

// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect
export type Told = any;

export const BASE = '/admin/api/v1';

export const apiOf = ({ issuer }: Pick<Postern, 'issuer'>): string => `${issuer}${BASE}`;

/** What an operator types to open the door. */
export const openDoor = (postern: Postern, terms: { revocable?: boolean; scopes?: string[] } = {}) =>
  postern.domain.resources.add({ uri: apiOf(postern), scopes: ['read', 'write'], revocable: true, ...terms });

type NewClient = Partial<Parameters<Postern['domain']['clients']['add']>[0]>;

/** A program of the operator's. */
export async function addRobot(postern: Postern, more: NewClient = {}): Promise<Registered> {
  const { client, secret } = await postern.domain.clients.add({
    name: 'Robot',
    type: 'service',
    resources: [apiOf(postern)],
    ...more,
  });
  return { id: client.id, secret };
}

/** By openid-client. */
export async function machineToken(postern: Postern, robot: Registered, scope = 'read write'): Promise<string> {
  const config = await discover(postern, robot);
  return (await oidc.clientCredentialsGrant(config, { scope, resource: apiOf(postern) })).access_token;
}

export interface Asking {
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly told: Told;
}

/** @param line a method and a path below the base */
export async function ask(postern: Pick<Postern, 'issuer'>, line: string, asking: Asking = {}): Promise<Answered> {
  const { token, body, headers = {} } = asking;
  const [method = 'GET', path = ''] = line.split(' ');
  const answer = await fetch(`${apiOf(postern)}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json');
  return { status: answer.status, headers: answer.headers, text, told: isJson && text ? JSON.parse(text) : undefined };
}

/** An operator's program with both scopes, and how it asks. */
export async function operating(postern: Postern) {
  await openDoor(postern);
  const robot = await addRobot(postern);
  const token = await machineToken(postern, robot);
  const as = (line: string, body?: unknown) => ask(postern, line, { token, body });
  return { robot, token, as };
}
