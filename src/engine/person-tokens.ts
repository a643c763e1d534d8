import type { Keys, Person, RegisteredClient, SigningAlgorithm } from '../domain/index.ts';
import { type Duration, inSeconds } from '../lib/index.ts';
import { claimsFor } from './accounts.ts';
import { signJwt } from './jwt.ts';
import { CLAIMS, splitScope } from './scopes.ts';

/** What is on record of a token. Times are in seconds since the epoch. */
interface Recorded {
  readonly jti: string;
  readonly clientId: string;
  readonly iat: number;
  readonly exp: number;
}

export interface RecordedAccess extends Recorded {
  readonly accountId: string;
  readonly aud: string;
  /** The words of its resource that it is good for. */
  readonly scope: string;
  /** How the person was authenticated, in claims. */
  readonly extra?: object;
}

/** How somebody signed in, as a code and a refresh token carry it on. */
export interface Authentication {
  readonly scope: string;
  readonly nonce?: string;
  readonly sid?: string;
  readonly acr?: string;
  readonly amr?: readonly string[];
  readonly authTime?: number;
}

interface OnRecord {
  readonly access: RecordedAccess;
  /** None of a client that may not refresh. */
  readonly refresh: Recorded | undefined;
  readonly carried: Authentication;
  readonly person: Person;
  readonly client: RegisteredClient;
  /** The scopes of OpenID Connect that the person allowed. */
  readonly openid: readonly string[];
  /** What the access token's resource wants it signed by; RS256 unless said. */
  readonly alg?: SigningAlgorithm;
}

interface TokenAnswer {
  readonly access_token: string;
  readonly expires_in: number;
  readonly id_token: string | undefined;
  readonly refresh_token: string | undefined;
  readonly scope: string;
  readonly token_type: 'Bearer';
}

/**
 * Signs the answer (RFC 6749 §5.1, OIDC Core §3.1.3.3) that a sign-in's records stand for. Its tokens say what is on record, and
 * nothing of the moment: signed again they are the same to the last bit, as long as the person and the key are, and they are
 * signed by RS256, which draws no random number (RFC 8017 §8.2).
 */
export function personTokens({ keys, issuer, idLives }: { keys: Keys; issuer: string; idLives: Duration }) {
  const accessToken = (
    { extra, jti, accountId, iat, exp, scope, clientId, aud }: RecordedAccess,
    alg: SigningAlgorithm | undefined,
  ) =>
    signJwt(
      keys,
      'at+jwt',
      { ...extra, jti, sub: accountId, iat, exp, scope: scope || undefined, client_id: clientId, iss: issuer, aud },
      alg,
    );

  const refreshToken = ({ clientId, jti, iat, exp }: Recorded) =>
    signJwt(keys, 'rt+jwt', { iss: issuer, aud: issuer, client_id: clientId, jti, iat, exp });

  function idToken({ access: { iat }, carried, person, client, openid }: OnRecord): Promise<string> {
    const known: Readonly<Record<string, unknown>> = { ...claimsFor(person, client), ...authenticationIn(carried) };
    const told: Record<string, unknown> = {};
    for (const scope of openid) for (const name of CLAIMS[scope] ?? []) told[name] = known[name];
    const { nonce, sid } = carried;
    return signJwt(keys, undefined, {
      ...told,
      nonce,
      sid,
      aud: client.id,
      exp: iat + inSeconds(idLives),
      iat,
      iss: issuer,
    });
  }

  async function answer(records: OnRecord): Promise<TokenAnswer> {
    const { access, refresh, carried, alg } = records;
    const isOpenId = splitScope(carried.scope).includes('openid');
    const [access_token, refresh_token, id_token] = await Promise.all([
      accessToken(access, alg),
      refresh && refreshToken(refresh),
      isOpenId ? idToken(records) : undefined,
    ]);
    const { iat, exp, scope } = access;
    return { access_token, expires_in: exp - iat, id_token, refresh_token, scope, token_type: 'Bearer' };
  }

  return { answer, refresh: refreshToken };
}

/** Whether signing the same with the same key gives the same. */
export const isSignedAgain = (alg: SigningAlgorithm): boolean => alg === 'RS256';

/** How the person was authenticated, in claims. */
export const authenticationIn = ({ acr, amr, authTime }: Authentication) => ({ acr, amr, auth_time: authTime });
