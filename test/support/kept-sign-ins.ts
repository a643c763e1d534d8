/**
 * Sign-ins that really happened, as they were kept, and copies of them with a session and a grant of their own: what can be
 * used once is there once for each way (both-ways.ts).
 */
import { join } from 'node:path';
import type { AdapterPayload } from 'oidc-provider';
import { openMasterKey, sessionIdOf, sidOf } from '../../src/domain/index.ts';
import { artifacts } from '../../src/engine/artifacts.ts';
import { createSigner } from '../../src/http/index.ts';
import { inSeconds, minutes, newSecret, sha256 } from '../../src/lib/index.ts';
import type { Artifact, Change, Row } from '../../src/store/index.ts';
import { authorize, discover, type Registered, request, signIn } from './client.ts';
import type { Postern } from './postern.ts';
import { UserAgent } from './user-agent.ts';

export type Opened = ReturnType<typeof artifacts>;

export const openedOf = ({ folder }: Pick<Postern, 'folder'>): Opened =>
  artifacts(openMasterKey({ folder: join(folder, 'keys'), mustExist: true }).artifacts, Date.now);

export interface Kept<C extends Registered = Registered> {
  readonly client: C;
  /** The request that was answered with a code. */
  readonly asked: URL;
  readonly verifier: string;
  readonly payloads: Readonly<Record<'authorization_code' | 'refresh_token', AdapterPayload>>;
  readonly grant: AdapterPayload;
  readonly session: AdapterPayload & { authorizations: Record<string, object> };
}

const LONGEST = inSeconds(minutes(10));

type ArtifactTable = 'grants' | 'sessions' | 'authorization_codes' | 'refresh_tokens' | 'access_tokens';

export const rowOf = async ({ store }: Postern, table: ArtifactTable, id: string) =>
  (await store.get(table, sha256(id)))! as Row<Artifact>;

/** Between two times in s, in whole minutes: within one request the clock may be read on both sides of a second's beginning. */
export const minutesBetween = (from: number, to: number) => Math.round((to - from) / 60) || 0;

export const claimsOf = (jwt: string) =>
  JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString()) as { jti: string; sub: string };

/** Signs in, and takes down what the server keeps of it. */
export async function keepSignIn<C extends Registered>(
  postern: Postern,
  client: C,
  scope: string,
  email?: string,
  more: Record<string, string> = {},
): Promise<Kept<C>> {
  const opened = openedOf(postern);
  const agent = new UserAgent(postern.issuer);
  const parameters = { scope, ...more };
  const { tokens } = await authorize(postern, client, parameters, agent, email);
  const { jti } = claimsOf(tokens.refresh_token!);
  const refresh_token = opened.open('refresh_tokens', await rowOf(postern, 'refresh_tokens', jti));
  const asked = await request(await discover(postern, client), parameters);
  const { left } = await signIn(agent, await agent.get(asked.url), email);
  const code = left!.searchParams.get('code')!;
  const found = opened.open('authorization_codes', await rowOf(postern, 'authorization_codes', code));
  // A slow machine's tests take longer than a code is good for.
  const authorization_code = { ...found, exp: found.exp! + LONGEST };
  const grant = opened.open('grants', await rowOf(postern, 'grants', authorization_code.grantId!));
  const { rows } = await postern.store.find('sessions', 'uid', sha256(authorization_code['sessionUid'] as string));
  return {
    client,
    asked: asked.url,
    verifier: asked.verifier,
    payloads: { authorization_code, refresh_token },
    grant,
    session: opened.open('sessions', rows[0]!) as Kept['session'],
  };
}

/** Leaves out what is undefined, as the store does. */
export const defined = (payload: object) => JSON.parse(JSON.stringify(payload)) as AdapterPayload;

/** What a copy has otherwise than the real one. */
export interface Changed {
  readonly grant?: object | undefined;
  readonly session?: object | undefined;
}

interface As extends Changed {
  /** Whose it is. */
  readonly accountId?: string | undefined;
  /** What the session holds otherwise of the client. */
  readonly entry?: object | undefined;
}

/** Rows of a copy, under ids of its own. */
export function copyOf(opened: Opened, { grant, session, client }: Kept, { accountId, entry, ...change }: As = {}) {
  const [grantId, uid, sessionId] = [newSecret(), newSecret(), newSecret()];
  const authorizations = { [client.id]: { grantId, sid: sidOf(grantId), ...entry } };
  const owner = accountId === undefined ? {} : { accountId };
  const rows: Record<'grant' | 'session', Change> = {
    grant: opened.seal('Grant', grantId, defined({ ...grant, jti: grantId, ...owner, ...change.grant })),
    session: opened.seal(
      'Session',
      sessionId,
      defined({ ...session, jti: sessionId, uid, authorizations, ...owner, ...change.session }),
    ),
  };
  return { grantId, uid, sessionId, rows };
}

/** Somebody has allowed an application what was allowed in a sign-in that was kept. */
export function remember({ domain }: Postern, { grant }: Kept, of: { accountId: string; clientId: string }) {
  const { openid, resources = {} } = grant as { openid: { scope: string }; resources?: Record<string, string> };
  return domain.consents.remember({
    ...of,
    scopes: openid.scope.split(' '),
    resources: Object.fromEntries(Object.entries(resources).map(([uri, scope]) => [uri, scope.split(' ')])),
  });
}

/**
 * Signs somebody in in as many browsers, each last seen a minute before the one that follows.
 * @returns what names the sessions, the last used first
 */
export async function signInOften(postern: Postern, client: Registered, email: string, times: number) {
  const kept = await keepSignIn(postern, client, 'openid offline_access', email, { prompt: 'consent' });
  const opened = openedOf(postern);
  const [first] = (await postern.store.find('session_places', 'accountId', String(kept.session['accountId']))).rows;
  const changes: Change[] = [];
  const ids = Array.from({ length: times }, (_, i) => {
    const { uid, rows } = copyOf(opened, kept);
    const record = { ...first!.record, lastSeenAt: first!.record.lastSeenAt - minutes(times - i) };
    changes.push(...Object.values(rows), { put: 'session_places', id: sessionIdOf(uid), record });
    return sessionIdOf(uid);
  });
  while (changes.length > 0) await postern.store.commit(changes.splice(0, 900));
  return [first!.id, ...ids.toReversed()];
}

/** Writes the cookies by which a browser has a session. */
export function cookiesOf({ domain }: Pick<Postern, 'domain'>) {
  const { sign } = createSigner(domain.cookieKeys.current, 'engine-cookies');
  return (sessionId: string): string => {
    const pair = `postern.session=${sessionId}`;
    return `${pair}; postern.session.sig=${sign(pair)}`;
  };
}
