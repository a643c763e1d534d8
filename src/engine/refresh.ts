import { type AdapterPayload, errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import type { Domain } from '../domain/index.ts';
import { type Clock, type Duration, inSeconds, sha256 } from '../lib/index.ts';
import { type Artifact, type Row, StoreConflict } from '../store/index.ts';
import type { OpenArtifact } from './artifacts.ts';
import { engineGrant, grantHelpers } from './internals.ts';
import { readOwnJwt } from './jwt.ts';
import { type Asked, keptAnswer, type PresentedToken, refreshAnswers } from './refresh-answers.ts';
import { currentUnit } from './unit.ts';

type Ctx = KoaContextWithOIDC;

interface Options {
  readonly provider: Provider;
  readonly domain: Domain;
  readonly open: OpenArtifact;
  readonly now: Clock;
  /** How long the token just rotated gets its answer again. */
  readonly retryWindow: Duration;
  /** How long an ID token is good. */
  readonly idLives: Duration;
}

const TABLE = 'refresh_tokens';

/**
 * Refresh token rotation in which nobody honest is signed out. Each token has exactly one successor, made in
 * the commit that uses the token up. The token presented again within the window gets the same answer: a lost response,
 * a second tab, a second process. Presented later, or once its successor was used, it is a stolen one (RFC 9700 §4.14):
 * the whole family ends.
 */
export function installRefresh({ provider, domain, open, now, retryWindow, idLives }: Options): void {
  const engine = engineGrant(provider, 'refresh_token');
  const answers = refreshAnswers({ domain, open, issuer: provider.issuer, idLives });

  async function handle(ctx: Ctx): Promise<void> {
    const presented = read(ctx);
    const row = presented && (await currentUnit().get(TABLE, presented.rowId));
    if (!presented || !row?.record.consumedAt) {
      await engine.handle(ctx);
      if (presented) await finish(ctx, presented);
    } else await again(ctx, presented, row);
  }

  function read(ctx: Ctx): PresentedToken | undefined {
    const token = ctx.oidc.params?.['refresh_token'];
    const claims = typeof token === 'string' ? readOwnJwt(domain.keys, provider.issuer, 'rt+jwt', token) : undefined;
    return claims && { token: token as string, rowId: sha256(claims.jti) };
  }

  /** Keeps the answer with the successor's birth, in one commit; whoever lost the race gets the winner's answer. */
  async function finish(ctx: Ctx, presented: PresentedToken): Promise<void> {
    const unit = currentUnit();
    const used = await unit.get(TABLE, presented.rowId);
    const successor = ctx.oidc.entities.RefreshToken?.jti;
    if (!used?.record.consumedAt || !successor) throw new Error('a refresh ended without rotating its token');
    unit.put(TABLE, presented.rowId, { ...used.record, successor: sha256(successor) }, keep(used));
    const asked = askedIn(ctx, ctx.oidc.entities.AccessToken?.jkt);
    const answer = keptAnswer(presented, ctx.body as object, asked);
    unit.put('refresh_answers', presented.rowId, answer, { expiresAt: now() + retryWindow });
    try {
      await unit.commit();
    } catch (error) {
      if (!overtaken.some((kind) => error instanceof kind)) throw error;
      unit.clear();
      // What this request proved has been seen and written down; making its answer again is no replay.
      ctx.state['proofSeen'] = true;
      const row = await unit.get(TABLE, presented.rowId);
      if (!row?.record.consumedAt) throw new errors.InvalidGrant('refresh token not found');
      await again(ctx, presented, row);
    }
  }

  async function again(ctx: Ctx, presented: PresentedToken, row: Row<Artifact>): Promise<void> {
    const payload = open(TABLE, row);
    if (payload.clientId !== ctx.oidc.client?.clientId) throw new errors.InvalidGrant('client mismatch');
    const proof = await proofOf(ctx, payload.jkt as string | undefined);
    const { consumedAt = 0, successor } = row.record;
    const next = successor ? await currentUnit().get(TABLE, successor) : undefined;
    const isRetry = now() < consumedAt + retryWindow && next && !next.record.consumedAt;
    const asked = askedIn(ctx, proof?.thumbprint);
    const answered = isRetry ? await answers.find(presented, row, next, asked) : undefined;
    if (!answered) return reused(ctx, payload);
    if (!answered.body) return withoutRotation(ctx, answered.successor);
    await mustBeGood(ctx, answered.successor);
    if (proof)
      await grantHelpers.checkDpopReplay(
        provider,
        ctx as never,
        proof,
        payload.clientId as string,
        errors.InvalidGrant,
      );
    ctx.body = answered.body;
  }

  /**
   * The rows of a sign-in can outlive it: its session ran out, or whoever ended it died midway.
   * @throws InvalidGrant where the engine would not take the token
   */
  async function mustBeGood(ctx: Ctx, successor: string): Promise<void> {
    const token = await provider.RefreshToken.find(successor);
    if (!token?.grantId) throw new errors.InvalidGrant('the sign-in is over');
    await grantHelpers.validateGrant(provider, ctx as never, token.grantId);
    if (!(await grantHelpers.findAccount(provider, ctx as never, token.accountId, token as never)))
      throw new errors.InvalidGrant('the person is not there any more');
  }

  /** The same token for another scope, resource or DPoP key within the window: new access token, same successor. */
  async function withoutRotation(ctx: Ctx, successor: string): Promise<void> {
    const params = ctx.oidc.params as Record<string, unknown>;
    params['refresh_token'] = successor;
    ctx.state['keepRefreshToken'] = true;
    await engine.handle(ctx);
  }

  /** A DPoP-bound token is answered again only to its key (RFC 9449 §5). One that is not may be asked with any. */
  async function proofOf(ctx: Ctx, thumbprint: string | undefined) {
    const proof = await grantHelpers.validateDpop(provider, ctx as never);
    if (thumbprint && proof?.thumbprint !== thumbprint) throw new errors.InvalidGrant('failed jkt verification');
    return proof;
  }

  async function reused(ctx: Ctx, payload: AdapterPayload): Promise<never> {
    const { grantId, accountId, clientId } = payload;
    const event = domain.audit.record('refresh_token.reused', {
      ...(accountId && { accountId }),
      ...(clientId && { clientId }),
      details: { address: String(ctx.state['address'] ?? '') },
    });
    if (grantId) await domain.sessions.endGrant(grantId, [event]);
    throw new errors.InvalidGrant('refresh token already used: everything issued from this sign-in was revoked');
  }

  provider.registerGrantType('refresh_token', handle, [...engine.parameters, 'resource'], ['resource']);
}

/** What a commit rejects with where another request was faster, with the same token or with the same proof of its key. */
const overtaken = [StoreConflict, errors.InvalidGrant, errors.InvalidDpopProof];

const keep = ({ expiresAt }: Row<unknown>) => (expiresAt === undefined ? {} : { expiresAt });

const askedIn = (ctx: Ctx, jkt: string | undefined): Asked => {
  const { scope, resource } = ctx.oidc.params as Asked;
  return { scope, resource, jkt };
};

/** Seconds a refresh token lives: idle time, cut off where its sign-in, so many seconds old, is over. */
export const refreshTtl =
  (idle: Duration, absolute: Duration) =>
  (age: number): number =>
    Math.max(1, Math.min(inSeconds(idle), inSeconds(absolute) - age));
