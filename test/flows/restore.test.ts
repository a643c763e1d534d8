/**
 * Whatever was used or revoked after a backup was taken stands in it unused and unrevoked. So one of each is given out, the
 * backup taken, each used or taken back, the backup restored, and the very same presented again.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { exportJWK, generateKeyPair } from 'jose';
import * as oidc from 'openid-client';
import { minutes } from '../../src/lib/index.ts';
import { say } from '../support/cli.ts';
import { discover, redeem, request } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { addClient, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { type Given, giveOut } from '../support/presented.ts';
import { UserAgent } from '../support/user-agent.ts';

let databases: DatabaseServer;
test.before(async () => {
  databases = await startDatabaseServer();
});
test.after.always(() => databases?.remove());

type Env = Readonly<Record<string, string>>;

const ENGINES: Readonly<Record<string, () => Promise<Env>>> = {
  'the file store': async () => ({ POSTERN_DATA: join(mkdtempSync(join(tmpdir(), 'postern-restored-')), 'data') }),
  PostgreSQL: async () => ({ POSTERN_DATABASE_URL: (await databases.create()).url }),
};

const kids = async ({ url }: Postern): Promise<string[]> => {
  const { keys } = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
};

/** Nothing of it is of any use, now or later. */
async function nothingLives(
  t: ExecutionContext,
  postern: Postern,
  given: readonly Given[],
  oldKeys: readonly string[],
) {
  const alive = async () => {
    const found: string[] = [];
    for (const { what, present } of given) if (await present()) found.push(what);
    return found;
  };
  t.deepEqual(await alive(), []);
  for (const kid of await kids(postern)) t.false(oldKeys.includes(kid), 'a key from before is published');
  // Past the time in which every assertion and proof is doubted: those from before still are.
  pass(minutes(2));
  t.deepEqual(await alive(), []);
}

/** People sign in again, are not asked for consent again, and applications prove themselves as before. */
async function everybodyBeginsAnew(t: ExecutionContext, postern: Postern) {
  const { clients } = await postern.domain.clients.list();
  const [web] = clients.filter(({ type }) => type === 'web');
  const { secret } = await postern.domain.clients.rotateSecret(web!.id);
  const config = await discover(postern, { id: web!.id, secret });
  const asked = await request(config);
  const agent = new UserAgent(postern.issuer);
  const { left } = await agent.submit(await agent.get(asked.url), { email: 'ada@example.com', password: PASSWORD });
  t.truthy(left, 'asked for consent again');
  const tokens = await redeem(asked, left!);
  t.truthy((await oidc.refreshTokenGrant(config, tokens.refresh_token!)).access_token);

  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k2', alg: 'RS256', use: 'sig' };
  const service = await addClient(postern, { type: 'service', redirectUris: [], jwks: { keys: [jwk] } });
  const auth = oidc.PrivateKeyJwt({ key: privateKey, kid: 'k2' });
  t.truthy((await oidc.clientCredentialsGrant(await discover(postern, service, auth))).access_token);
  const bound = await discover(postern, service, auth);
  const DPoP = oidc.getDPoPHandle(bound, await oidc.randomDPoPKeyPair());
  t.is((await oidc.clientCredentialsGrant(bound, undefined, { DPoP })).token_type, 'dpop');
}

for (const [engine, place] of Object.entries(ENGINES)) {
  test.serial(`${engine}: nothing that was used or revoked after a backup comes back to life with it`, async (t) => {
    const env = { POSTERN_TOKENS_CODE: '1h', ...(await place()) };
    let postern = await startPostern({ env });
    t.teardown(() => postern.close());
    const given = await giveOut(postern);
    const file = join(postern.folder, 'backup');
    const settings = { ...env, POSTERN_KEYS: join(postern.folder, 'keys') };
    t.is((await say(settings, 'store', 'backup', file)).code, 0);

    for (const { what, present, end } of given) {
      t.true(await present(), what);
      await end?.();
      if (end) t.false(await present(), `${what}, ended`);
    }
    const oldKeys = await kids(postern);
    await postern.domain.keys.revoke(oldKeys[0]!);
    oldKeys.push(...(await kids(postern)));

    const { json, code } = await (async () => {
      let said: Awaited<ReturnType<typeof say>>;
      postern = await postern.restart(async () => {
        said = await say(settings, 'store', 'restore', file, '--replace', '--json');
      });
      return said!;
    })();
    t.is(code, 0);
    t.is(json.recovery_codes_ended, 1);
    await nothingLives(t, postern, given, oldKeys);

    const empty = await place();
    postern = await postern.restart(async () => {
      t.is((await say({ ...settings, ...empty }, 'store', 'restore', file)).code, 0);
    }, empty);
    await nothingLives(t, postern, given, [...oldKeys, ...json.new_keys]);
    await everybodyBeginsAnew(t, postern);
  });
}
