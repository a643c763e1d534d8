/** Asking for more than a sign-in: acr_values, max_age, and what an application is registered for (RFC 9470, OIDC Core §3.1.2.1). */
import test from 'ava';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { discover, redeem } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { begin, beginAs, giveApp, ONE, PHR, TWO } from '../support/second-factor.ts';

let postern: Postern;
test.before(async () => {
  postern = await startPostern();
});
test.after.always(() => postern?.close());

let people = 0;
const somebody = () => addPerson(postern, `p${++people}@example.com`);

/** Somebody signed in by their password alone: nobody asked for more. */
async function signedIn() {
  const person = await somebody();
  const { agent, asked, answer } = await beginAs(postern, person.email);
  const { left } = answer;
  if (!left) throw new Error(`shown ${answer.page}`);
  return { person, agent, before: (await redeem(asked, left)).claims()! };
}

const told = (left: URL | undefined) => left?.searchParams.get('error');

test.serial(
  'who is signed in is asked for the missing factor and no more, and the rest counts from when it was proven',
  async (t) => {
    const { person, agent, before } = await signedIn();
    t.is(before['acr'], ONE);
    const app = await giveApp(postern, person);
    pass(60_000);
    const { asked, answer } = await begin(postern, { agent, parameters: { acr_values: TWO } });
    t.is(answer.page, 'second-factor', 'no password');
    const { left } = await agent.submit(answer, { code: app.fresh() });
    const tokens = await redeem(asked, left!);
    const claims = tokens.claims()!;
    t.is(claims['acr'], TWO);
    t.deepEqual(claims['amr'], ['pwd', 'otp', 'mfa']);
    t.is(claims.auth_time, before.auth_time, 'the password is as old as it is');
    const again = await begin(postern, { agent, parameters: { acr_values: TWO } });
    t.truthy(again.answer.left, 'it is asked for once in a session');
  },
);

test.serial(
  'access tokens tell how and when, after a refresh as before; a machine’s tell nothing of the kind',
  async (t) => {
    const person = await somebody();
    const app = await giveApp(postern, person);
    const { agent, asked, answer } = await beginAs(postern, person.email, { parameters: { acr_values: TWO } });
    const { left } = await agent.submit(answer, { code: app.fresh() });
    const tokens = await redeem(asked, left!);
    const first = decodeJwt(tokens.access_token);
    const expected = { acr: TWO, amr: ['pwd', 'otp', 'mfa'], auth_time: tokens.claims()?.auth_time };
    t.like(first, expected);
    const refreshed = await oidc.refreshTokenGrant(asked.config, tokens.refresh_token!);
    t.like(decodeJwt(refreshed.access_token), expected);
    t.like(refreshed.claims()!, expected);
    const service = await postern.domain.clients.add({ name: 'Robot', type: 'service' });
    const machine = await oidc.clientCredentialsGrant(
      await discover(postern, { id: service.client.id, secret: service.secret }),
    );
    const claims = decodeJwt(machine.access_token);
    for (const name of ['acr', 'amr', 'auth_time']) t.false(name in claims, name);
  },
);

test.serial('whoever owns no second factor sets one up there and then, without the password', async (t) => {
  const { agent } = await signedIn();
  const { answer } = await begin(postern, { agent, parameters: { acr_values: TWO } });
  t.is(answer.page, 'enrol');
});

test.serial('who gives up ends with unmet_authentication_requirements, and stays signed in as before', async (t) => {
  const { person, agent } = await signedIn();
  for (const page of ['enrol', 'second-factor']) {
    if (page === 'second-factor') await giveApp(postern, person);
    const { asked, answer } = await begin(postern, { agent, parameters: { acr_values: TWO } });
    t.is(answer.page, page);
    const { left } = await agent.submit(answer, {}, { name: 'decision', value: 'deny' });
    t.is(told(left), 'unmet_authentication_requirements');
    t.is(left?.searchParams.get('state'), asked.state);
    t.is(left?.searchParams.get('iss'), postern.issuer);
  }
  const silent = await begin(postern, { agent, parameters: { prompt: 'none', acr_values: TWO } });
  t.is(told(silent.answer.left), 'login_required');
});

test.serial('what nobody here knows cannot be met, and is refused before anybody is asked anything', async (t) => {
  const { answer } = await begin(postern, { parameters: { acr_values: 'urn:example:gold 2' } });
  t.is(told(answer.left), 'unmet_authentication_requirements');
  const { agent } = await signedIn();
  const signed = await begin(postern, { agent, parameters: { acr_values: 'urn:example:gold' } });
  t.is(told(signed.answer.left), 'unmet_authentication_requirements');
  const mixed = await begin(postern, { agent, parameters: { acr_values: `urn:example:gold ${TWO}` } });
  t.is(mixed.answer.page, 'enrol', 'one word that is known is enough to go by');
});

test.serial(
  'the application is told the first of its words that holds, and the strongest where it asks for none',
  async (t) => {
    const person = await somebody();
    const app = await giveApp(postern, person);
    const { agent, answer } = await beginAs(postern, person.email);
    t.truthy((await agent.submit(answer, { code: app.fresh() })).left);
    for (const [acr_values, expected] of [
      [`${ONE} ${TWO}`, ONE],
      [`${TWO} ${ONE}`, TWO],
      [`${PHR} ${ONE}`, ONE],
      [undefined, TWO],
    ] as const) {
      const next = await begin(postern, { agent, parameters: acr_values ? { acr_values } : {} });
      t.is((await redeem(next.asked, next.answer.left!)).claims()?.['acr'], expected, acr_values);
    }
  },
);

test.serial('max_age asks for all of it anew, and auth_time is new', async (t) => {
  const person = await somebody();
  const app = await giveApp(postern, person);
  const first = await beginAs(postern, person.email);
  const { agent } = first;
  const { left } = await agent.submit(first.answer, { code: app.fresh() });
  const before = (await redeem(first.asked, left!)).claims()!;
  pass(120_000);
  const parameters = { max_age: '60', acr_values: TWO };
  const { asked, answer } = await begin(postern, { agent, parameters });
  t.is(answer.page, 'login');
  const next = await agent.submit(answer, { email: person.email, password: PASSWORD });
  t.is(next.page, 'second-factor');
  const done = await agent.submit(next, { code: app.fresh() });
  const claims = (await redeem(asked, done.left!)).claims()!;
  t.true(claims.auth_time! >= before.auth_time! + 120);
  t.is(claims['acr'], TWO);
  const within = await begin(postern, { agent, parameters: { max_age: '60', acr_values: TWO } });
  t.truthy(within.answer.left);
});

test.serial('an application the operator registered for more gets it, whatever it asks for itself', async (t) => {
  const { person, agent } = await signedIn();
  const app = await giveApp(postern, person);
  const terms = { acrValues: [TWO] };
  const { answer } = await begin(postern, { agent, terms, parameters: { acr_values: ONE } });
  t.is(answer.page, 'second-factor');
  const left = await agent.submit(answer, {}, { name: 'decision', value: 'deny' });
  t.is(told(left.left), 'unmet_authentication_requirements');
  const next = await begin(postern, { agent, terms });
  t.truthy((await agent.submit(next.answer, { code: app.fresh() })).left);
});

test.serial(
  'the password grant is refused where an application or its person needs more, in the same words as a wrong password',
  async (t) => {
    const person = await somebody();
    const grant = async (terms: { acrValues?: readonly string[] }, password = PASSWORD) => {
      const client = await addClient(postern, { passwordGrant: true, ...terms });
      const config = await discover(postern, client);
      const asked = { username: person.email, password, scope: 'openid' };
      return oidc.genericGrantRequest(config, 'password', asked).then(
        (tokens) => decodeJwt(tokens.access_token)['acr'],
        ({ status, error, error_description }) => ({ status, error, error_description }),
      );
    };
    t.is(await grant({}), ONE);
    const wrong = await grant({}, 'not the password');
    t.like(wrong, { error: 'invalid_grant' });
    t.deepEqual(await grant({ acrValues: [TWO] }), wrong);
    await giveApp(postern, person);
    t.deepEqual(await grant({}), wrong);
  },
);

test.serial('a passkey that no browser can make, at a bare address, is unmet at once', async (t) => {
  const server = await startPostern({ env: { POSTERN_ISSUER: 'http://127.0.0.1:0' } });
  await addPerson(server);
  const { answer } = await beginAs(server, 'ada@example.com', { parameters: { acr_values: PHR } });
  t.is(told(answer.left), 'unmet_authentication_requirements');
  await server.close();
});

test.serial('somebody else may take over while more is asked, and begins with their password', async (t) => {
  const { person, agent } = await signedIn();
  await giveApp(postern, person);
  const other = await somebody();
  const { asked, answer } = await begin(postern, { agent, parameters: { acr_values: TWO } });
  const login = await agent.submit(answer, {}, { name: 'decision', value: 'switch' });
  t.is(login.page, 'login');
  const enrol = await agent.submit(login, { email: other.email, password: PASSWORD });
  t.is(enrol.page, 'enrol', 'what the first one proved is not theirs');
  t.false(enrol.html.includes(person.email));
  const cancelled = await agent.submit(enrol, {}, { name: 'decision', value: 'deny' });
  t.is(cancelled.left?.searchParams.get('state'), asked.state);
  const mine = await begin(postern, { agent });
  t.is(mine.answer.page, 'second-factor', 'nobody was signed out by it');
  t.true(mine.answer.html.includes(person.email));
});
