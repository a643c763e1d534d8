import type { Domain } from '../domain/index.ts';
import { type Duration, deriveKey, seal, sha256, unseal } from '../lib/index.ts';
import type { Artifact, Row, Tables } from '../store/index.ts';
import type { OpenArtifact } from './artifacts.ts';
import { type Authentication, personTokens, type RecordedAccess } from './person-tokens.ts';
import { splitScope } from './scopes.ts';
import { currentUnit } from './unit.ts';

/** A refresh token that was presented, and where its record is. */
export interface PresentedToken {
  readonly token: string;
  readonly rowId: string;
}

/** What was asked beside the token. */
export interface Asked {
  readonly scope?: unknown;
  readonly resource?: unknown;
  /** The key that the access token is bound to. */
  readonly jkt?: string | undefined;
}

/** What a refresh was answered. */
interface Answered {
  /** The token's successor. */
  readonly successor: string;
  /** All of it; undefined where something else was asked, or it is not to be had any more. */
  readonly body?: object;
}

interface Carried extends Authentication {
  readonly accountId: string;
  readonly clientId: string;
  readonly grantId: string;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
}

const NOTHING_ELSE: Asked = {};

/** A digest of what was asked beside the token: another request is no retry. */
const requestOf = ({ scope, resource, jkt }: Asked): string =>
  sha256(JSON.stringify([scope ?? null, resource ?? null, jkt ?? null]));

const keyOf = ({ token }: PresentedToken) => deriveKey(token, 'refresh-answer');

/** The answer as it is kept for whoever presents the token again: it opens with that token alone. */
export const keptAnswer = (
  presented: PresentedToken,
  answer: object,
  asked = NOTHING_ELSE,
): Tables['refresh_answers'] => ({
  sealed: seal(keyOf(presented), presented.rowId, JSON.stringify(answer)),
  request: requestOf(asked),
});

interface Options {
  readonly domain: Pick<Domain, 'accounts' | 'clients' | 'keys'>;
  readonly open: OpenArtifact;
  readonly issuer: string;
  readonly idLives: Duration;
}

/**
 * What a refresh was answered, for the retry that may follow. Where all of it is on record and signing draws no random
 * number it is not kept: it is made again, which takes three signatures of who retries and spares everybody else
 * four kilobytes in the store (docs/decisions/0028). Otherwise it is kept, sealed under the token that was presented.
 */
export function refreshAnswers({ domain: { accounts, clients, keys }, open, issuer, idLives }: Options) {
  const tokens = personTokens({ keys, issuer, idLives });

  async function kept(presented: PresentedToken, request: string): Promise<Answered | undefined> {
    const row = await currentUnit().get('refresh_answers', presented.rowId);
    if (!row) return undefined;
    const body = JSON.parse(unseal(keyOf(presented), row.id, row.record.sealed)) as { refresh_token: string };
    return { successor: body.refresh_token, ...(row.record.request === request && { body }) };
  }

  async function madeAgain(accessId: string, next: Row<Artifact>, request: string): Promise<Answered> {
    const unit = currentUnit();
    const carried = open('refresh_tokens', next) as unknown as Carried;
    if (request !== requestOf(NOTHING_ELSE)) return { successor: await tokens.refresh(carried) };
    const [row, grantRow, person, client] = await Promise.all([
      unit.get('access_tokens', accessId),
      unit.get('grants', sha256(carried.grantId)),
      accounts.get(carried.accountId),
      clients.get(carried.clientId),
    ]);
    // The access token was revoked, or the sign-in is over: what is left is for the engine to judge.
    if (!row || !grantRow || !person || !client) return { successor: await tokens.refresh(carried) };
    const access = open('access_tokens', row) as unknown as RecordedAccess;
    const asked = splitScope(carried.scope);
    const { openid } = open('grants', grantRow) as { openid?: { scope?: string } };
    const allowed = splitScope(openid?.scope).filter((word) => asked.includes(word));
    const body = await tokens.answer({ access, refresh: carried, carried, person, client, openid: allowed });
    return { successor: body.refresh_token!, body };
  }

  return {
    /** @param row of the token that was presented @param next of its successor */
    find(
      presented: PresentedToken,
      row: Row<Artifact>,
      next: Row<Artifact>,
      asked: Asked,
    ): Promise<Answered | undefined> {
      const { access } = row.record;
      return access ? madeAgain(access, next, requestOf(asked)) : kept(presented, requestOf(asked));
    },
  };
}
