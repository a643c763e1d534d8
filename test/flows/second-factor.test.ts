import test from 'ava';
import { newTotpSecret } from '../../src/factors/index.ts';
import { AuthenticatorApp } from '../support/authenticator-app.ts';
import { discover, redeem, request } from '../support/client.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { UserAgent } from '../support/user-agent.ts';

const TWO = 'urn:postern:acr:two-factor';

let postern: Postern;
let strict: Postern;
test.before(async () => {
  [postern, strict] = await Promise.all([startPostern(), startPostern({ env: { POSTERN_SECOND_FACTOR: 'required' } })]);
});
test.after.always(() => Promise.all([postern?.close(), strict?.close()]));

let people = 0;
const somebody = (server: Postern) => addPerson(server, `p${++people}@example.com`);

/** Somebody with an authenticator app, and recovery codes that they keep. */
async function withApp(server: Postern) {
  const person = await somebody(server);
  const secret = newTotpSecret();
  const { factors, recoveryCodes, challenges } = server.domain;
  const binding = { purpose: 'enrol-totp', boundTo: 'test', accountId: person.id } as const;
  const spent = challenges.spend(binding, challenges.issue(binding));
  await factors.addTotp(person.id, secret, 0, undefined, spent);
  const codes = ['7QMK2XHD9RTP', 'W3N8HC5Z0YAV'];
  await recoveryCodes.keep(person.id, await recoveryCodes.put(person.id, codes));
  return { person, app: new AuthenticatorApp(secret), codes };
}

/** As far as the page after the password. */
async function withPassword(server: Postern, email: string, parameters: Record<string, string> = {}) {
  const agent = new UserAgent(server.issuer);
  const asked = await request(await discover(server, await addClient(server, { firstParty: true })), parameters);
  const answer = await agent.submit(await agent.get(asked.url), { email, password: PASSWORD, remember: 'yes' });
  return { agent, asked, answer };
}

test('after the password a person types the code of their app, and the tokens tell both', async (t) => {
  const { person, app } = await withApp(postern);
  const { agent, asked, answer } = await withPassword(postern, person.email);
  t.is(answer.page, 'second-factor');
  const done = await agent.submit(answer, { code: app.fresh() });
  const tokens = await redeem(asked, done.left!);
  t.deepEqual(tokens.claims()?.['amr'], ['pwd', 'otp', 'mfa']);
  t.is(tokens.claims()?.['acr'], TWO);
});

test('where everybody needs one, a person without sets it up as they sign in, and is shown their recovery codes once', async (t) => {
  const person = await somebody(strict);
  const { agent, asked, answer } = await withPassword(strict, person.email);
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
  const again = await withPassword(strict, person.email);
  t.is(again.answer.page, 'second-factor');
  t.truthy((await again.agent.submit(again.answer, { code: codes[3]!.toLowerCase().replaceAll('-', ' ') })).left);
});
