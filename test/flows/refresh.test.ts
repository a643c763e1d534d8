import test from 'ava';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { authorize, discover, redeem } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';

let postern: Postern;
test.before(async () => {
  postern = await startPostern();
  await addPerson(postern);
});
test.after.always(() => postern.close());

const password = async (more = {}) => {
  const client = await addClient(postern, { passwordGrant: true, ...more });
  const config = await discover(postern, client);
  const tokens = await oidc.genericGrantRequest(config, 'password', {
    username: 'ada@example.com',
    password: PASSWORD,
    scope: 'openid email',
  });
  return { client, config, tokens };
};

test.serial('a refresh gives new tokens, and the new refresh token works in its turn', async (t) => {
  const { config, tokens } = await authorize(postern, await addClient(postern));
  const first = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
  t.not(first.refresh_token, tokens.refresh_token);
  t.not(first.access_token, tokens.access_token);
  t.is(first.claims()?.['email'], 'ada@example.com');
  const second = await oidc.refreshTokenGrant(config, first.refresh_token!);
  t.truthy(second.access_token);
});

test.serial('a rotated refresh token, presented again within the window, gets the same answer', async (t) => {
  const { config, tokens } = await authorize(postern, await addClient(postern));
  const first = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
  pass(25_000);
  const again = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
  t.deepEqual({ ...again }, { ...first });
});

test.serial('50 parallel refreshes answer 50 times 200 with one new token', async (t) => {
  const { config, tokens } = await authorize(postern, await addClient(postern));
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => oidc.refreshTokenGrant(config, tokens.refresh_token!)),
  );
  t.is(new Set(answers.map((answer) => answer.refresh_token)).size, 1);
  t.is(new Set(answers.map((answer) => answer.access_token)).size, 1);
});

test.serial(
  'presented outside the window it ends the whole family, access tokens too, and is an audit event',
  async (t) => {
    const { config, tokens } = await authorize(postern, await addClient(postern));
    const first = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
    pass(31_000);
    await t.throwsAsync(oidc.refreshTokenGrant(config, tokens.refresh_token!), { code: 'OAUTH_RESPONSE_BODY_ERROR' });
    await t.throwsAsync(oidc.refreshTokenGrant(config, first.refresh_token!), { code: 'OAUTH_RESPONSE_BODY_ERROR' });
    t.false((await oidc.tokenIntrospection(config, first.access_token)).active);
    const told: string[] = [];
    for await (const { type } of postern.domain.audit.events()) told.push(type);
    t.true(told.includes('refresh_token.reused'));
  },
);

test.serial('presented within the window but after its successor was used it ends the family', async (t) => {
  const { config, tokens } = await authorize(postern, await addClient(postern));
  const first = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
  const second = await oidc.refreshTokenGrant(config, first.refresh_token!);
  await t.throwsAsync(oidc.refreshTokenGrant(config, tokens.refresh_token!));
  await t.throwsAsync(oidc.refreshTokenGrant(config, second.refresh_token!));
});

test.serial(
  'ending one sign-in by reuse leaves the same person at the same application in another browser signed in',
  async (t) => {
    const client = await addClient(postern);
    const [one, other] = [await authorize(postern, client), await authorize(postern, client)];
    await oidc.refreshTokenGrant(one.config, one.tokens.refresh_token!);
    pass(31_000);
    await t.throwsAsync(oidc.refreshTokenGrant(one.config, one.tokens.refresh_token!));
    t.truthy((await oidc.refreshTokenGrant(other.config, other.tokens.refresh_token!)).access_token);
  },
);

test.serial('another client gets nothing for it, and harms nobody', async (t) => {
  const { config, tokens } = await authorize(postern, await addClient(postern));
  const thief = await discover(postern, await addClient(postern));
  await t.throwsAsync(oidc.refreshTokenGrant(thief, tokens.refresh_token!), { code: 'OAUTH_RESPONSE_BODY_ERROR' });
  await oidc.refreshTokenGrant(config, tokens.refresh_token!);
  await t.throwsAsync(oidc.refreshTokenGrant(thief, tokens.refresh_token!), { code: 'OAUTH_RESPONSE_BODY_ERROR' });
  t.truthy((await oidc.refreshTokenGrant(config, tokens.refresh_token!)).access_token);
});

test.serial('the same token for another scope within the window gets that scope and the same successor', async (t) => {
  const { config, tokens } = await password();
  const wide = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
  const narrow = await oidc.refreshTokenGrant(config, tokens.refresh_token!, { scope: 'openid' });
  t.is(narrow.scope, 'openid');
  t.is(narrow.refresh_token, wide.refresh_token);
});

test.serial(
  'a sign-in whose API its application lost is over, and a refresh that names that API is told which',
  async (t) => {
    const [api, other] = ['https://files.example.com', 'https://mail.example.com'];
    for (const uri of [api, other]) await postern.domain.resources.add({ uri, scopes: ['read'] });
    const client = await addClient(postern, { resources: [api, other] });
    const { agent, asked, config, tokens } = await authorize(postern, client, { scope: 'openid read' });
    const { left } = await agent.get(asked.url);
    await postern.domain.clients.update(client.id, { resources: [other] });
    const errorOf = async (asking: Promise<unknown>) =>
      (await t.throwsAsync<oidc.ResponseBodyError>(asking, { code: 'OAUTH_RESPONSE_BODY_ERROR' }))?.error;
    t.is(await errorOf(oidc.refreshTokenGrant(config, tokens.refresh_token!)), 'invalid_grant');
    t.is(await errorOf(redeem(asked, left!)), 'invalid_grant');
    for (const resource of [api, other])
      t.is(await errorOf(oidc.refreshTokenGrant(config, tokens.refresh_token!, { resource })), 'invalid_target');
    await postern.domain.clients.update(client.id, { resources: [api] });
    t.truthy((await oidc.refreshTokenGrant(config, tokens.refresh_token!)).access_token);
  },
);

test.serial('within the window each process of an application gets a token for the DPoP key it has', async (t) => {
  const keyOf = (token: string) => (decodeJwt(token)['cnf'] as { jkt: string } | undefined)?.jkt;
  for (const atOnce of [true, false]) {
    const { config, tokens } = await authorize(postern, await addClient(postern));
    const handles = await Promise.all(
      [0, 1].map(async () => oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair())),
    );
    const refreshes = [...handles.map((DPoP) => ({ DPoP })), {}].map(
      (options) => () => oidc.refreshTokenGrant(config, tokens.refresh_token!, undefined, options),
    );
    const answers = atOnce ? await Promise.all(refreshes.map((refresh) => refresh())) : [];
    for (const refresh of atOnce ? [] : refreshes) answers.push(await refresh());
    for (const [n, DPoP] of handles.entries())
      t.is(keyOf(answers[n]!.access_token), await DPoP.calculateThumbprint(), `${n}`);
    t.is(keyOf(answers[2]!.access_token), undefined);
    t.is(new Set(answers.map((answer) => answer.refresh_token)).size, 1);
    const [again, first] = [await refreshes[0]!(), answers[0]!];
    if (!atOnce) t.is(again.access_token, first.access_token);
    t.is(keyOf(again.access_token), keyOf(first.access_token));
  }
});

test.serial(
  'it lives seven idle days and thirty in all, and dies with its session where offline access was not allowed',
  async (t) => {
    const { config, tokens } = await password();
    pass(6.9 * 86_400_000);
    let last = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
    for (let day = 6.9; day + 6.9 < 30; day += 6.9) {
      pass(6.9 * 86_400_000);
      last = await oidc.refreshTokenGrant(config, last.refresh_token!);
    }
    pass(3 * 86_400_000);
    await t.throwsAsync(oidc.refreshTokenGrant(config, last.refresh_token!));
    const idle = await password();
    pass(7.1 * 86_400_000);
    await t.throwsAsync(oidc.refreshTokenGrant(idle.config, idle.tokens.refresh_token!));
  },
);

test.serial('a restart between two refreshes is not noticed, and the retry still gets its answer', async (t) => {
  const { client, tokens, config } = await password();
  const first = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
  postern = await postern.restart();
  const after = await discover(postern, client);
  t.deepEqual({ ...(await oidc.refreshTokenGrant(after, tokens.refresh_token!)) }, { ...first });
  t.truthy((await oidc.refreshTokenGrant(after, first.refresh_token!)).access_token);
});

test.serial('an answer is not given again where the sign-in ended and its tokens were left behind', async (t) => {
  const left: Record<string, (id: string) => Promise<unknown>> = {
    'no grant': async (id) => remove('grants', id),
    'no session': async (id) => remove('sessions', id),
    'a person who may not sign in': async (id) => {
      const { record } = (await postern.store.get('accounts', id))!;
      await postern.store.commit([{ put: 'accounts', id, record: { ...record, disabled: true } }]);
    },
  };
  async function remove(table: 'grants' | 'sessions', accountId: string) {
    const { rows } = await postern.store.find(table, 'accountId', accountId);
    await postern.store.commit(rows.map(({ id }) => ({ remove: table, id })));
  }
  for (const [what, leave] of Object.entries(left)) {
    const { id, email } = await addPerson(postern, `${what.replaceAll(' ', '-')}@example.com`);
    const { config, tokens } = await authorize(postern, await addClient(postern), {}, undefined, email);
    const first = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
    await leave(id);
    for (const token of [tokens.refresh_token!, first.refresh_token!]) {
      const refused = await t.throwsAsync<oidc.ResponseBodyError>(oidc.refreshTokenGrant(config, token));
      t.is(refused?.error, 'invalid_grant', what);
    }
  }
});

test.serial('a disabled person is refused at once', async (t) => {
  const person = await addPerson(postern, 'leaving@example.com');
  const client = await addClient(postern, { passwordGrant: true });
  const config = await discover(postern, client);
  const tokens = await oidc.genericGrantRequest(config, 'password', {
    username: 'leaving@example.com',
    password: PASSWORD,
    scope: 'openid',
  });
  await postern.domain.accounts.setDisabled(person.id, true);
  await t.throwsAsync(oidc.refreshTokenGrant(config, tokens.refresh_token!));
  t.false((await oidc.tokenIntrospection(config, tokens.access_token)).active);
});
