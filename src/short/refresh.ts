import { isSignedAgain, keptAnswer, readOwnJwt } from '../engine/index.ts';
import { sha256 } from '../lib/index.ts';
import { UnitOfWork } from '../store/index.ts';
import type { Family } from './person-tokens.ts';
import { redeemer } from './redeem.ts';
import { type Carried, signInsOf } from './sign-in.ts';
import type { Asked, Means, ShortWay } from './way.ts';

const GRANT = 'refresh_token';
const TABLE = 'refresh_tokens';

interface Token extends Carried, Partial<Family> {
  readonly gty?: string;
}

/**
 * The short way of a refresh (RFC 6749 §6) that asks for what there was before: a token that was not used yet gets its
 * successor. One that is presented again goes the whole way (engine/refresh.ts).
 */
export function refreshes(means: Means): ShortWay {
  const { domain, store, issuer, lifetimes } = means;
  const find = signInsOf(means, TABLE, ['gty', 'iiat', 'rotations']);
  const redeem = redeemer(means);

  async function answer({ client, form }: Asked): Promise<object | undefined> {
    const token = form[GRANT];
    const claims = token && client.grantTypes.includes(GRANT) && readOwnJwt(domain.keys, issuer, 'rt+jwt', token);
    if (!claims) return undefined;
    const rowId = sha256(claims.jti);
    const unit = new UnitOfWork(store);
    const signIn = await find<Token>(unit, rowId, client);
    if (!signIn) return undefined;
    const { gty, iiat, rotations } = signIn.carried;
    if (gty === undefined || iiat === undefined || rotations === undefined) return undefined;
    return redeem({
      unit,
      table: TABLE,
      signIn,
      grantType: GRANT,
      gty: gty.endsWith(GRANT) ? gty : `${gty} ${GRANT}`,
      family: { iiat, rotations: rotations + 1 },
      also: ({ answer, rows: [access, refresh] }, usedAt) => {
        const mark = { successor: refresh!.id };
        if (isSignedAgain(signIn.resource.alg)) return { mark: { ...mark, access: access!.id } };
        const record = keptAnswer({ token, rowId }, answer);
        return {
          mark,
          row: { put: 'refresh_answers', id: rowId, record, expiresAt: usedAt + lifetimes.refresh_retry },
        };
      },
    });
  }

  return { path: '/token', grantType: GRANT, parameters: [GRANT], answer };
}
