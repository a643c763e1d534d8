import test from 'ava';
import { AuthenticatorApp } from '../support/authenticator-app.ts';
import { redeem } from '../support/client.ts';
import { addPerson, type Postern, startPostern } from '../support/postern.ts';
import { beginAs, giveApp, RECOVERY_CODES, TWO } from '../support/second-factor.ts';

let postern: Postern;
let strict: Postern;
test.before(async () => {
  [postern, strict] = await Promise.all([startPostern(), startPostern({ env: { POSTERN_SECOND_FACTOR: 'required' } })]);
});
test.after.always(() => Promise.all([postern?.close(), strict?.close()]));

let people = 0;
const somebody = (server: Postern) => addPerson(server, `p${++people}@example.com`);

test('after the password a person types the code of their app, and the tokens tell both', async (t) => {
  const person = await somebody(postern);
  const app = await giveApp(postern, person);
  const { agent, asked, answer } = await beginAs(postern, person.email);
  t.is(answer.page, 'second-factor');
  const done = await agent.submit(answer, { code: app.fresh() });
  const tokens = await redeem(asked, done.left!);
  t.deepEqual(tokens.claims()?.['amr'], ['pwd', 'otp', 'mfa']);
  t.is(tokens.claims()?.['acr'], TWO);
});

test('recovery codes are spoken of for as long as there is one left', async (t) => {
  const person = await somebody(postern);
  await giveApp(postern, person);
  for (const code of RECOVERY_CODES) {
    const { agent, answer } = await beginAs(postern, person.email);
    t.regex(answer.html, /A recovery code works here too/);
    t.truthy((await agent.submit(answer, { code })).left);
  }
  const { agent, answer } = await beginAs(postern, person.email);
  t.is(answer.page, 'second-factor');
  t.notRegex(answer.html, /recovery code/i);
  t.is((await agent.submit(answer, { code: RECOVERY_CODES[0]! })).status, 400);
});

test('where everybody needs one, a person without sets it up as they sign in, and is shown their recovery codes once', async (t) => {
  const person = await somebody(strict);
  const { agent, asked, answer } = await beginAs(strict, person.email);
  t.is(answer.page, 'enrol');
  const app = AuthenticatorApp.scan(answer);
  const wrong = await agent.submit(answer, { code: '000000' });
  t.is(wrong.page, 'enrol');
  t.is(AuthenticatorApp.scan(wrong).secret, app.secret, 'the key on the phone still counts');
  const shown = await agent.submit(wrong, { code: app.fresh() });
  t.is(shown.page, 'recovery-codes');
  const codes = [...shown.html.matchAll(/<li><code>([^<]+)</g)].map(([, code]) => code!);
  t.is(codes.length, 10);
  const done = await agent.submit(shown, {});
  t.is((await redeem(asked, done.left!)).claims()?.['acr'], TWO);
  const again = await beginAs(strict, person.email);
  t.is(again.answer.page, 'second-factor');
  t.truthy((await again.agent.submit(again.answer, { code: codes[3]!.toLowerCase().replaceAll('-', ' ') })).left);
});

test('where operators need one, an operator sets it up, and nobody else is asked', async (t) => {
  const server = await startPostern({ env: { POSTERN_SECOND_FACTOR: 'operators' } });
  const password = 'correct horse battery staple';
  await server.domain.accounts.add({ email: 'op@example.com', password, admin: true });
  await server.domain.accounts.add({ email: 'ada@example.com', password });
  t.is((await beginAs(server, 'op@example.com')).answer.page, 'enrol');
  t.truthy((await beginAs(server, 'ada@example.com')).answer.left);
  await server.close();
});
