/** Over the network nobody leaves the server without an operator: neither a program, nor operators each other, nor the last one themself. */
import test, { type ExecutionContext } from 'ava';
import { sayWith } from '../support/cli.ts';
import { authorize, signIn } from '../support/client.ts';
import { addOperator, atDesk } from '../support/operators.ts';
import { addClient, PASSWORD, type Postern } from '../support/postern.ts';
import { type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { SET_UPS } from '../support/set-ups.ts';
import { changed, kept } from '../support/tables.ts';
import { UserAgent } from '../support/user-agent.ts';
import { apiOf, ask, operating, type Told } from './operator.ts';

let databases: DatabaseServer;
test.before(async () => {
  databases = await startDatabaseServer();
});
test.after.always(() => databases?.remove());

async function opened(t: ExecutionContext, start = SET_UPS['the file store']) {
  const servers = await start(databases);
  t.teardown(() => Promise.all(servers.toReversed().map((server) => server.close())));
  const [postern] = servers;
  return { servers, postern, ...(await operating(postern)) };
}

const operatorsOf = async ({ domain }: Postern) =>
  (await domain.accounts.list({ limit: 1000 })).people.filter(({ admin, disabled }) => admin && !disabled);

/** What would take an operator away, as a program asks for it. */
const WAYS: readonly (readonly [line: (id: string) => string, body?: object])[] = [
  [(id) => `PATCH /users/${id}`, { disabled: true }],
  [(id) => `PATCH /users/${id}`, { admin: false }],
  [(id) => `PATCH /users/${id}`, { name: 'Nobody', email: 'nobody@example.com', admin: false, disabled: true }],
  [(id) => `DELETE /users/${id}`],
];

test('a program cannot take the last operator away; it is told so, and nothing of what it asked for is done', async (t) => {
  const { postern, as } = await opened(t);
  const ada = await addOperator(postern);
  await postern.domain.accounts.add({ email: 'bob@example.com', password: PASSWORD });
  for (const [line, body] of WAYS) {
    const before = await kept(postern.store);
    const { status, told } = await as(line(ada.id), body);
    t.is(status, 409, JSON.stringify(body));
    t.is(told.error, 'last_operator');
    t.regex(told.error_description, /nobody else is an operator .* command line/);
    t.deepEqual(
      changed(before, await kept(postern.store)).filter((each) => !/refusals/.test(each)),
      [],
    );
  }
  t.is(
    (await as(`PATCH /users/${ada.id}`, { name: 'Ada', admin: true, disabled: false })).status,
    200,
    'what is no end',
  );
  for (const [line, body] of WAYS) {
    const other = await addOperator(postern);
    t.is((await as(line(other.id), body)).status, 200, 'while there is another one');
    if (body) await as(`DELETE /users/${other.id}`);
  }
});

test('whoever could never sign in is nobody to leave it to, and keeps nobody from being replaced', async (t) => {
  const { postern, as } = await opened(t);
  const mistyped = (await as('POST /invitations', { email: 'adq@example.com', admin: true })).told;
  t.is((await as(`DELETE /users/${mistyped.id}`)).told.error, 'last_operator', 'the only one');
  const ada = (await as('POST /invitations', { email: 'ada@example.com', admin: true })).told;
  t.is((await as(`DELETE /users/${mistyped.id}`)).status, 200);
  const grace = await addOperator(postern);
  t.is((await as(`PATCH /users/${grace.id}`, { admin: false })).told.error, 'last_operator');
  await as(`PUT /users/${ada.id}/password`, { password: PASSWORD });
  t.is((await as(`PATCH /users/${grace.id}`, { admin: false })).status, 200);
  t.is((await as(`PATCH /users/${grace.id}`, { disabled: true })).status, 200, 'who is none any more');
  t.is((await as(`DELETE /users/${grace.id}`)).status, 200);
});

test('an operator who asks by a token of theirs cannot take themself away as the last', async (t) => {
  const { postern } = await opened(t);
  const grace = await addOperator(postern);
  const client = await addClient(postern, { firstParty: true, resources: [apiOf(postern)] });
  const asked = { scope: 'openid read write', resource: apiOf(postern) };
  const { tokens } = await authorize(postern, client, asked, new UserAgent(postern.issuer), grace.email);
  const mine = (line: string, body?: object) => ask(postern, line, { token: tokens.access_token, body });
  t.is((await mine(`PATCH /users/${grace.id}`, { admin: false })).status, 409);
  t.is((await mine(`DELETE /users/${grace.id}`)).status, 409);
  await addOperator(postern);
  t.is((await mine(`DELETE /users/${grace.id}`)).status, 200);
});

test('the last operator cannot delete their own account, until somebody else is one', async (t) => {
  const { postern } = await opened(t);
  const grace = await addOperator(postern);
  const agent = new UserAgent(postern.issuer);
  const page = await signIn(agent, await agent.get('/account/data'), grace.email);
  const refused = await agent.press(page, 'Delete my account', { email: grace.email });
  t.is(refused.status, 409);
  t.regex(refused.html, /role="alert"[\s\S]*Nobody else here is an operator[\s\S]*Nothing was deleted/);
  t.notRegex(refused.html, /aria-invalid/);
  t.truthy(await postern.domain.accounts.get(grace.id));
  await addOperator(postern);
  await agent.press(refused, 'Delete my account', { email: grace.email });
  t.is(await postern.domain.accounts.get(grace.id), undefined);
});

test('the command line takes the last one away too, and makes another', async (t) => {
  const { postern } = await opened(t);
  const grace = await addOperator(postern);
  const env = { POSTERN_DATA: `${postern.folder}/data`, POSTERN_KEYS: `${postern.folder}/keys` };
  const say = (line: string) => sayWith('', env, ...line.split(' '), '--json');
  t.true((await say(`user disable ${grace.email}`)).json.disabled);
  t.false((await say(`user update ${grace.email} --no-admin`)).json.admin);
  t.true((await say(`user update ${grace.email} --admin`)).json.admin);
  t.false((await say(`user enable ${grace.email}`)).json.disabled);
  t.true((await say(`user remove ${grace.email}`)).json.removed);
});

for (const [name, start] of Object.entries(SET_UPS)) {
  test.serial(`${name}: of operators who are all taken away at one moment, one stays, each time`, async (t) => {
    const { servers, postern, token } = await opened(t, start);
    for (let trial = 0; trial < 12; trial += 1) {
      const all = [];
      for (let n = 0; n < (trial % 3) + 2; n += 1) all.push(await addOperator(postern));
      // The one who stayed last time as well.
      const asked = (await operatorsOf(postern)).map(({ id }, i) => {
        const [line, body] = WAYS[(trial + i) % WAYS.length]!;
        const through = { issuer: servers[i % servers.length]!.url };
        const email = body && 'email' in body ? { ...body, email: `nobody${trial}-${i}@example.com` } : body;
        return ask(through, line(id), { token, body: email });
      });
      const answers = await Promise.all(asked);
      t.deepEqual(
        answers.map(({ status }) => status).toSorted(),
        [...answers.slice(1).map(() => 200), 409],
        `trial ${trial} of ${answers.length}`,
      );
      t.true(
        answers.every(
          ({ status, told }: { status: number; told: Told }) => status === 200 || told.error === 'last_operator',
        ),
      );
      t.is((await operatorsOf(postern)).length, 1, `trial ${trial}`);
    }
  });

  test.serial(`${name}: of two operators who disable each other on their pages at one moment, one stays`, async (t) => {
    const { servers, postern } = await opened(t, start);
    let [one, other] = [await addOperator(postern), await addOperator(postern)];
    for (let trial = 0; trial < 5; trial += 1) {
      const desks = [];
      for (const [me, them] of [
        [one, other],
        [other, one],
      ] as const)
        desks.push(await atDesk(postern, `/admin/people/${them.id}`, me.email));
      const pressed = desks.map(({ agent, page }, i) => {
        agent.through = servers[i % servers.length]!.url;
        return agent.press(page, 'Disable');
      });
      const answers = await Promise.all(pressed);
      const left = await operatorsOf(postern);
      t.is(left.length, 1);
      const told = answers.filter(({ status, html }) => status === 409 && /Nobody else is an operator/.test(html));
      // Whoever came too late to be let in is not told, but asked to sign in.
      t.true(told.length <= 1 && answers.length === 2);
      one = left[0]!;
      other = await addOperator(postern);
    }
  });
}
