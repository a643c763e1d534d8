import { type ArtifactPut, CLAIMS, claimsFor, refreshTtl, signJwt, splitScope } from '../engine/index.ts';
import { inSeconds, newSecret, numericDate } from '../lib/index.ts';
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
  readonly rows: readonly ArtifactPut[];
}

/** Issues what the engine issues for a sign-in; test/flows/short-sign-ins.test.ts compares. */
export function personTokens({ domain: { keys }, seal, issuer, lifetimes }: Means) {
  const refreshLives = refreshTtl(lifetimes.refresh_idle, lifetimes.refresh_absolute);

  /** A token's JWT is for everybody; its record is for us, and is found by the whole token alone. */
  async function accessToken({ carried, client, resource, granted }: SignIn, gty: string, iat: number) {
    const jti = newSecret();
    const exp = iat + resource.ttl;
    const scope = granted.resource.join(' ');
    const extra = authenticationOf(carried);
    const claims = {
      ...extra,
      jti,
      sub: carried.accountId,
      iat,
      exp,
      ...(scope && { scope }),
      client_id: client.id,
      iss: issuer,
      aud: resource.uri,
    };
    const token = await signJwt(keys, 'at+jwt', claims, resource.alg);
    const record = {
      ...sessionOf(carried),
      kind: 'AccessToken',
      jti,
      clientId: client.id,
      gty,
      aud: resource.uri,
      extra,
      scope,
      iat,
      exp,
    };
    return { token, scope, row: seal('AccessToken', jti, record) };
  }

  async function refreshToken(
    { carried, client }: SignIn,
    gty: string,
    iat: number,
    { rotations, iiat = iat }: Family,
  ) {
    const { acr, amr, authTime, nonce, resource, scope } = carried;
    const jti = newSecret();
    const exp = iat + refreshLives(iat - iiat);
    const token = await signJwt(keys, 'rt+jwt', { iss: issuer, aud: issuer, client_id: client.id, jti, iat, exp });
    const record = {
      ...sessionOf(carried),
      ...{ kind: 'RefreshToken', jti, clientId: client.id, gty, acr, amr, authTime, nonce, resource, scope, iat, exp },
      rotations,
      iiat,
    };
    return { token, row: seal('RefreshToken', jti, record as never) };
  }

  function idToken({ carried, client, person, granted }: SignIn, iat: number): Promise<string> {
    const known: Readonly<Record<string, unknown>> = { ...claimsFor(person, client), ...authenticationOf(carried) };
    const told = granted.openid.flatMap((scope) => CLAIMS[scope] ?? []).filter((name) => name in known);
    const { nonce, sid } = carried;
    return signJwt(keys, undefined, {
      ...Object.fromEntries(told.map((name) => [name, known[name]])),
      nonce,
      sid,
      aud: client.id,
      exp: iat + inSeconds(lifetimes.id),
      iat,
      iss: issuer,
    });
  }

  return async (signIn: SignIn, gty: string, family: Family | undefined): Promise<Issued> => {
    const iat = numericDate();
    const isOpenId = splitScope(signIn.carried.scope).includes('openid');
    const [access, refresh, id] = await Promise.all([
      accessToken(signIn, gty, iat),
      family && refreshToken(signIn, gty, iat, family),
      isOpenId ? idToken(signIn, iat) : undefined,
    ]);
    return {
      answer: {
        access_token: access.token,
        expires_in: signIn.resource.ttl,
        id_token: id,
        refresh_token: refresh?.token,
        scope: access.scope,
        token_type: 'Bearer',
      },
      rows: [access.row, ...(refresh ? [refresh.row] : [])],
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

const authenticationOf = ({ acr, amr, authTime }: Carried) => ({
  ...(acr && { acr }),
  ...(amr && { amr }),
  ...(authTime && { auth_time: authTime }),
});
