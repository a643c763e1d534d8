import { type ArtifactPut, authenticationIn, personTokens, refreshTtl } from '../engine/index.ts';
import { newSecret, numericDate } from '../lib/index.ts';
import type { Carried, SignIn } from './sign-in.ts';
import type { Means } from './way.ts';

/** A refresh token's family: how often it was renewed, and since when, in seconds since the epoch; from now on unless said. */
export interface Family {
  readonly rotations: number;
  readonly iiat?: number;
}

/** Tokens that are good once their rows are in the store. */
export interface Issued {
  readonly answer: object;
  /** The access token's, and the refresh token's of a client that may refresh. */
  readonly rows: readonly ArtifactPut[];
}

/** Issues what the engine issues for a sign-in; test/flows/short-sign-ins.test.ts compares. */
export function tokenIssuer({ domain: { keys }, seal, issuer, lifetimes }: Means) {
  const refreshLives = refreshTtl(lifetimes.refresh_idle, lifetimes.refresh_absolute);
  const { answer: answerOf } = personTokens({ keys, issuer, idLives: lifetimes.id });

  const accessRecord = ({ carried, client, resource, granted }: SignIn, gty: string, iat: number) => ({
    ...sessionOf(carried),
    kind: 'AccessToken',
    jti: newSecret(),
    clientId: client.id,
    gty,
    aud: resource.uri,
    extra: authenticationIn(carried),
    scope: granted.resource.join(' '),
    iat,
    exp: iat + resource.ttl,
  });

  function refreshRecord({ carried, client }: SignIn, gty: string, iat: number, { rotations, iiat = iat }: Family) {
    const { acr, amr, authTime, nonce, resource, scope } = carried;
    const exp = iat + refreshLives(iat - iiat);
    return {
      ...sessionOf(carried),
      kind: 'RefreshToken',
      jti: newSecret(),
      clientId: client.id,
      gty,
      acr,
      amr,
      authTime,
      nonce,
      resource,
      scope,
      iat,
      exp,
      rotations,
      iiat,
    };
  }

  return async (signIn: SignIn, gty: string, family: Family | undefined): Promise<Issued> => {
    const { carried, client, person, granted, resource } = signIn;
    const iat = numericDate();
    const access = accessRecord(signIn, gty, iat);
    const refresh = family && refreshRecord(signIn, gty, iat, family);
    const { openid } = granted;
    const row = seal('AccessToken', access.jti, access);
    return {
      answer: await answerOf({ access, refresh, carried, person, client, openid, alg: resource.alg }),
      rows: refresh ? [row, seal('RefreshToken', refresh.jti, refresh as never)] : [row],
    };
  };
}

/** Whose a token is, and what it ends with. */
const sessionOf = ({ accountId, grantId, sessionUid, sid, expiresWithSession }: Carried) => ({
  accountId,
  grantId,
  sessionUid,
  sid,
  expiresWithSession,
});
