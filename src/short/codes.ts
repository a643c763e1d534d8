import { createHash, timingSafeEqual } from 'node:crypto';
import { sha256 } from '../lib/index.ts';
import { UnitOfWork } from '../store/index.ts';
import { redeemer } from './redeem.ts';
import { type Carried, signInsOf } from './sign-in.ts';
import type { Asked, Means, ShortWay } from './way.ts';

const GRANT = 'authorization_code';
const TABLE = 'authorization_codes';

interface Code extends Carried {
  readonly redirectUri: string;
  readonly codeChallenge: string;
  readonly codeChallengeMethod: string;
}

/** RFC 7636 §4.1. */
const VERIFIER = /^[\w.~-]{43,128}$/;

/** The short way of a code (RFC 6749 §4.1.3) with its proof key: redeemed once, in the commit that makes its tokens. */
export function codes(means: Means): ShortWay {
  const { store } = means;
  const find = signInsOf(means, TABLE, ['redirectUri', 'codeChallenge', 'codeChallengeMethod']);
  const redeem = redeemer(means);

  async function answer({ client, form }: Asked): Promise<object | undefined> {
    const { code, redirect_uri, code_verifier } = form;
    if (!code || !redirect_uri || !VERIFIER.test(code_verifier ?? '') || !client.grantTypes.includes(GRANT))
      return undefined;
    const unit = new UnitOfWork(store);
    const signIn = await find<Code>(unit, sha256(code), client);
    if (!signIn) return undefined;
    if (signIn.carried.redirectUri !== redirect_uri || !isProven(signIn.carried, code_verifier!)) return undefined;
    const family = client.grantTypes.includes('refresh_token') ? { rotations: 0 } : undefined;
    return redeem({ unit, table: TABLE, signIn, grantType: GRANT, gty: GRANT, family });
  }

  return { path: '/token', grantType: GRANT, parameters: ['code', 'redirect_uri', 'code_verifier'], answer };
}

/** RFC 7636 §4.6. */
function isProven({ codeChallenge, codeChallengeMethod }: Code, verifier: string): boolean {
  const expected = Buffer.from(codeChallenge);
  const given = Buffer.from(createHash('sha256').update(verifier).digest('base64url'));
  return codeChallengeMethod === 'S256' && expected.length === given.length && timingSafeEqual(expected, given);
}
