import { type CryptoKey, exportJWK, generateKeyPair } from 'jose';
import { AuthenticatorApp } from '../support/authenticator-app.ts';
import type { Registered } from '../support/client.ts';
import { addClient, addPerson, startPostern } from '../support/postern.ts';
import { giveApp, RECOVERY_CODES } from '../support/second-factor.ts';

interface SomePerson {
  readonly id: string;
  readonly email: string;
}

/** Somebody with a second factor. */
export interface Guarded extends SomePerson {
  readonly app: AuthenticatorApp;
  /** Not used yet. */
  readonly recoveryCode: string;
}

/** Who and what a set-up knows before anything happens. */
export interface Population {
  readonly people: readonly SomePerson[];
  readonly guarded: readonly Guarded[];
  /** The operator's own web applications, so that nobody is asked for consent. */
  readonly clients: readonly Registered[];
  /** A web application that proves itself by a key (RFC 7523). */
  readonly prover: Registered & { readonly key: CryptoKey };
  /** A machine whose tokens are on record, for a resource that is revocable. */
  readonly machine: Registered & { readonly resource: string };
  /** May use the password grant. */
  readonly typist: Registered;
  /** People sign in to it on another device. */
  readonly television: Registered;
}

interface Options {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly people: number;
  readonly guarded: number;
  readonly clients: number;
}

/** Written by a server that is closed again, as an operator's first evening would leave it. */
export async function populate({ folder, env, people, guarded, clients }: Options): Promise<Population> {
  const server = await startPostern({ folder, env });
  try {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
    const resource = 'https://things.example.com';
    await server.domain.resources.add({ uri: resource, scopes: ['read'], revocable: true });
    const everybody: SomePerson[] = [];
    for (let i = 0; i < people; i += 1) {
      const { id, email } = await addPerson(server, `p${i}@example.com`, `Person ${i}`);
      everybody.push({ id, email });
    }
    const guardedPeople: Guarded[] = [];
    for (let i = 0; i < guarded; i += 1) {
      const { id, email } = await addPerson(server, `g${i}@example.com`, `Guarded ${i}`);
      const { secret } = await giveApp(server, { id });
      guardedPeople.push({ id, email, app: new AuthenticatorApp(secret), recoveryCode: RECOVERY_CODES[0]! });
    }
    const applications = Array.from({ length: clients }, (_, i) =>
      addClient(server, { name: `Application ${i}`, firstParty: true }),
    );
    return {
      people: everybody,
      guarded: guardedPeople,
      clients: await Promise.all(applications),
      prover: { ...(await addClient(server, { firstParty: true, jwks: { keys: [jwk] } })), key: privateKey },
      machine: {
        ...(await addClient(server, { type: 'service', redirectUris: [], resources: [resource] })),
        resource,
      },
      typist: await addClient(server, { passwordGrant: true, firstParty: true }),
      television: await addClient(server, { type: 'native', redirectUris: [], deviceGrant: true }),
    };
  } finally {
    await server.stop();
  }
}
