/** A Postern with an API, a person and clients, as the examples expect one to be set up. */
import * as oidc from 'openid-client';
import { authorize, discover, type Registered } from '../../support/client.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../../support/postern.ts';

export const AUDIENCE = 'https://files.example.com';
export const PERSON = { email: 'ada@example.com', password: PASSWORD };

export interface World {
  readonly postern: Postern;
  /** May ask for passwords itself: an API's own login route. */
  readonly firstParty: Registered & { readonly secret: string };
  /** A program without people. */
  readonly machine: Registered & { readonly secret: string };
  /** An application that signs people in. */
  readonly web: Registered;
  /** What every example is told. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function startWorld(env: Readonly<Record<string, string>> = {}): Promise<World> {
  const postern = await startPostern({ env });
  await addPerson(postern);
  const { resources } = postern.domain;
  const scopes = ['files.read', 'files.write', 'reports.read', 'reports.write'];
  await resources.add({ uri: AUDIENCE, scopes });
  await resources.add({ uri: 'https://other.example.com', scopes });
  const both = { resources: [AUDIENCE, 'https://other.example.com'] };
  const client = async (more: Parameters<typeof addClient>[1]): Promise<Registered & { secret: string }> => {
    const { id, secret = '' } = await addClient(postern, { ...both, ...more });
    return { id, secret };
  };
  return {
    postern,
    firstParty: await client({ name: 'An API of ours', redirectUris: [], passwordGrant: true, firstParty: true }),
    machine: await client({ name: 'A program', type: 'service', redirectUris: [] }),
    web: await client({ name: 'An application' }),
    env: { ISSUER: postern.issuer, AUDIENCE },
    close: () => postern.close(),
  };
}

/** What a program gets for itself. */
export async function machineToken({ postern, machine }: World, scope?: string, resource = AUDIENCE): Promise<string> {
  const config = await discover(postern, machine);
  return (await oidc.clientCredentialsGrant(config, { resource, ...(scope && { scope }) })).access_token;
}

/** What an application gets when a person signs in and allows it. */
export async function personTokens({ postern, web }: World, scope = 'openid profile files.read') {
  const { tokens } = await authorize(postern, web, { scope, resource: AUDIENCE });
  return { access: tokens.access_token, id: tokens.id_token ?? '', refresh: tokens.refresh_token ?? '' };
}

let people = 0;

/** Somebody nobody knows yet: no consent given, no session begun. */
export async function newPerson({ postern }: World): Promise<typeof PERSON> {
  const email = `grace-${++people}@example.com`;
  await addPerson(postern, email, 'Grace Hopper');
  return { email, password: PASSWORD };
}
