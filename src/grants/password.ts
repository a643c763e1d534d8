import { errors, type Grant, type TokenEndpointGrantContext } from 'oidc-provider';
import { acrOf, type Person } from '../domain/index.ts';
import { noteAuthentication } from '../engine/index.ts';
import { grantHelpers as g } from '../engine/internals.ts';
import { numericDate } from '../lib/index.ts';
import type { GrantOptions } from './index.ts';

type Ctx = TokenEndpointGrantContext;

const GRANT_TYPE = 'password';
const AMR = ['pwd'];

/**
 * The resource owner password credentials grant (RFC 6749 §4.3), for first-party tools and frameworks that know no
 * other. RFC 9700 §2.4 forbids it for anything new: a client has it only where an operator gave it.
 */
export function installPasswordGrant({ provider, domain: { accounts, clients, resourceOwners } }: GrantOptions): void {
  async function handle(ctx: Ctx): Promise<void> {
    const proof = await g.validateDpop(provider, ctx);
    g.checkDpopRequired(provider, ctx, proof);
    const servers = await g.resolveRequestedResources(provider, ctx);
    if (servers.length > 1) throw new errors.InvalidTarget('only a single resource may be asked for');
    const scopes = g.validateClientScope(provider, ctx);
    const person = await authenticate(ctx);
    await stillGiven(ctx);
    const grant = await grantTo(ctx, person, [...scopes]);
    await issue(ctx, person.id, grant, [...scopes].join(' '), proof);
  }

  /** A proof takes a while, and many of them wait for one another: an operator may have taken the grant back meanwhile. */
  async function stillGiven({ oidc }: Ctx): Promise<void> {
    const client = await clients.get(oidc.client.clientId);
    if (!client) throw new errors.InvalidClient('client not found');
    if (!client.grantTypes.includes(GRANT_TYPE))
      throw new errors.UnauthorizedClient('the client was not given this grant type');
  }

  /** The same answer for an unknown address, a wrong password, a disabled account and one with a second factor (RFC 6749 §5.2). */
  async function authenticate(ctx: Ctx): Promise<Person> {
    const { username, password } = ctx.oidc.params as { username?: string; password?: string };
    if (!username || !password) throw new errors.InvalidRequest('username and password are required');
    const address = String(ctx.state['address'] ?? ctx.ip);
    const owner = await resourceOwners.prove(ctx.req, { username, password, address, demands: await demandsOf(ctx) });
    switch (owner.kind) {
      case 'proven':
        return owner.person;
      case 'refused':
        throw new errors.InvalidGrant(owner.why);
      case 'too many':
        ctx.set('Retry-After', String(owner.retryAfter));
        throw Object.assign(new errors.InvalidGrant('too many wrong passwords'), {
          statusCode: 429,
          status: 429,
          error_description: `too many wrong passwords: try again in ${owner.retryAfter} seconds`,
        });
      case 'busy':
        ctx.set('Retry-After', '1');
        throw Object.assign(new errors.TemporarilyUnavailable('too many sign-ins at this moment'), {
          statusCode: 503,
          status: 503,
        });
    }
  }

  const demandsOf = async ({ oidc }: Ctx): Promise<readonly string[]> =>
    (await clients.get(oidc.client.clientId))?.acrValues ?? [];

  async function grantTo(ctx: Ctx, { id: accountId, epoch }: Person, scopes: readonly string[]): Promise<Grant> {
    const { client, resourceServers } = ctx.oidc;
    const account = await g.findAccount(provider, ctx, accountId);
    // Who has another password by now has not proven this one.
    const isStill = (await accounts.get(accountId))?.epoch === epoch;
    if (!account || !isStill) throw new errors.InvalidGrant('unknown person or wrong password');
    ctx.oidc.entity('Account', account);
    const grant = new provider.Grant({ accountId, clientId: client.clientId });
    grant.addOIDCScope(scopes.join(' '));
    for (const [uri, server] of Object.entries(resourceServers)) {
      grant.addResourceScope(uri, scopes.filter((scope) => server.scopes.has(scope)).join(' '));
    }
    await grant.save();
    ctx.oidc.entity('Grant', grant);
    return grant;
  }

  async function issue(
    ctx: Ctx,
    accountId: string,
    grant: Grant,
    scope: string,
    proof: { thumbprint: string; jti: string; iat: number } | undefined,
  ) {
    const { client } = ctx.oidc;
    const shared = {
      accountId,
      client,
      grantId: grant.jti,
      gty: GRANT_TYPE,
      scope,
      amr: AMR,
      acr: acrOf(AMR),
      authTime: numericDate(),
      resource: Object.keys(ctx.oidc.resourceServers)[0],
    };
    noteAuthentication(ctx, shared);
    const source = new provider.RefreshToken({ ...shared, rotations: 0 });
    const at = new provider.AccessToken({ accountId, client, grantId: grant.jti, gty: GRANT_TYPE });
    if (proof) {
      await g.checkDpopReplay(provider, ctx, proof, client.clientId, errors.InvalidGrant);
      at.setThumbprint('jkt', proof.thumbprint);
    }
    await g.resolveAndApplyResource(provider, ctx, source, at, grant);
    ctx.oidc.entity('AccessToken', at);
    const accessToken = await at.save();
    const refreshToken = await refreshTokenFor(ctx, source, at);
    ctx.body = g.buildTokenResponse(provider, {
      accessToken,
      expiresIn: at.expiration,
      ...(refreshToken && { refreshToken }),
      ...(await idTokenFor(ctx, source, grant)),
      // There is no empty scope (RFC 6749 §3.3).
      scope: at.scope || undefined,
      tokenType: at.tokenType,
    });
  }

  async function refreshTokenFor(
    ctx: Ctx,
    source: InstanceType<typeof provider.RefreshToken>,
    at: InstanceType<typeof provider.AccessToken>,
  ): Promise<string | undefined> {
    if (!(await g.shouldIssueRefreshToken(provider, ctx, source))) return undefined;
    await g.applyRefreshTokenBindings(provider, ctx, at, source);
    ctx.oidc.entity('RefreshToken', source);
    return source.save();
  }

  async function idTokenFor(
    ctx: Ctx,
    source: InstanceType<typeof provider.RefreshToken>,
    grant: Grant,
  ): Promise<{ idToken?: string }> {
    if (!source.scopes.has('openid')) return {};
    const scope = grant.getOIDCScopeFiltered(source.scopes);
    const claims = await ctx.oidc.account?.claims('id_token', scope, {}, []);
    const token = new provider.IdToken(
      { ...claims, acr: source.acr, amr: source.amr, auth_time: source.authTime },
      { ctx },
    );
    Object.assign(token, { scope });
    return { idToken: await token.issue({ use: 'idtoken' }) };
  }

  provider.registerGrantType(GRANT_TYPE, handle, ['username', 'password', 'scope', 'resource'], ['resource']);
}
