import type { AdapterPayload, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Domain } from '../domain/index.ts';
import { type Clock, inTimeOf, numericDate, seconds } from '../lib/index.ts';
import { authenticationClaims } from './authentication.ts';
import { claimsIn, type JwtType, readOwnJwt, signJwt } from './jwt.ts';

/** What we use of the engine's token models beyond their public types. */
interface TokenModel {
  readonly name: string;
  readonly IN_PAYLOAD: readonly string[];
  readonly prototype: {
    save(this: TokenInstance): Promise<string>;
    getValueAndPayload(this: TokenInstance): Promise<{ value: string; payload?: AdapterPayload }>;
  };
  find(value: string, options?: object): Promise<unknown>;
  instantiate(payload: object): unknown;
}

interface TokenInstance extends Readonly<Record<string, unknown>> {
  readonly jti: string;
  readonly iat?: number;
  readonly exp?: number;
  readonly accountId?: string;
  readonly clientId: string;
  readonly aud?: string;
  readonly expiration: number;
  /** {@link claimsOf} it. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

const UNRECORDED = Symbol('unrecorded');

/** Whether a token is on no record, so that nothing but its expiry ends it. */
export const isUnrecorded = (token: object): boolean => UNRECORDED in token;

/**
 * What a token says beyond what every one does: a person's how they were authenticated, a machine's that it is on record. So
 * one that has no record any more is known as revoked, whatever its resource's tokens are by now.
 */
export const claimsOf =
  ({ resources }: Domain) =>
  async (ctx: KoaContextWithOIDC, token: object) => {
    const { accountId, aud } = token as Partial<TokenInstance>;
    if (accountId) return authenticationClaims(ctx);
    return aud !== undefined && (await resources.get(aud))?.revocable ? { revocable: true } : undefined;
  };

/**
 * Makes every access and refresh token a JWT and keeps a record of those that must be findable (docs/decisions/0003): a person's
 * access token and every refresh token, and a machine's where its resource is revocable. A record is found only by the
 * whole token, never by its `jti`, which others may have seen.
 */
export function issueRecordedJwts(provider: Provider, { clients, keys }: Domain, now: Clock): void {
  const models = provider as unknown as Record<'AccessToken' | 'ClientCredentials' | 'RefreshToken', TokenModel>;

  function findByJwt(model: TokenModel, typ: JwtType): void {
    const find = model.find.bind(model);
    model.find = async (token, options) => {
      const claims = typeof token === 'string' ? readOwnJwt(keys, provider.issuer, typ, token) : undefined;
      return claims && find(claims.jti, options);
    };
  }

  /** A machine's token that is on no record speaks for itself, as it does to an API that checks it. */
  function findMachineToken(model: TokenModel): void {
    const find = model.find.bind(model);
    model.find = async (token, options) => {
      const claims = typeof token === 'string' ? readOwnJwt(keys, provider.issuer, 'at+jwt', token) : undefined;
      if (claims?.sub === undefined || claims.sub !== claims['client_id']) return undefined;
      if (!(await clients.get(String(claims.sub)))) return undefined;
      const recorded = await find(claims.jti, options);
      if (recorded || claims['revocable'] || inTimeOf(now, seconds(claims.exp)) <= now()) return recorded;
      const {
        jti,
        iat,
        exp,
        aud,
        scope,
        client_id: clientId,
        cnf,
      } = claims as typeof claims & { cnf?: { jkt?: string } };
      const found = model.instantiate({
        kind: 'ClientCredentials',
        jti,
        iat,
        exp,
        aud,
        scope,
        clientId,
        jkt: cnf?.jkt,
      });
      return Object.assign(found as object, { [UNRECORDED]: true });
    };
  }

  function record(model: TokenModel, isRecorded: (token: TokenInstance) => boolean): void {
    const { getValueAndPayload } = model.prototype;
    model.prototype.getValueAndPayload = async function () {
      const { value } = await getValueAndPayload.call(this);
      if (!isRecorded(this)) return { value };
      const claims = claimsIn(value);
      if (!claims) throw new Error(`${model.name} was to be issued as something else than a JWT`);
      const kept = model.IN_PAYLOAD.filter((name) => this[name] !== undefined).map((name) => [name, this[name]]);
      return {
        value,
        payload: { ...Object.fromEntries(kept), iat: claims['iat'], exp: claims['exp'] } as AdapterPayload,
      };
    };
  }

  findByJwt(models.AccessToken, 'at+jwt');
  findMachineToken(models.ClientCredentials);
  findByJwt(models.RefreshToken, 'rt+jwt');

  record(models.AccessToken, () => true);
  record(models.ClientCredentials, ({ extra }) => extra?.['revocable'] === true);

  const { save } = models.RefreshToken.prototype;
  models.RefreshToken.prototype.save = async function () {
    const iat = numericDate();
    const jti = await save.call(this);
    return signJwt(keys, 'rt+jwt', {
      iss: provider.issuer,
      aud: provider.issuer,
      client_id: this.clientId,
      jti,
      iat,
      exp: this.exp ?? iat + this.expiration,
    });
  };
}
