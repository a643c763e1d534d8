import test from 'ava';
import { authorize, discover, redeem, request, signIn } from '../support/client.ts';
import { addClient, addPerson, type Postern, startPostern } from '../support/postern.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

let postern: Postern;
let client: Awaited<ReturnType<typeof addClient>>;
test.before(async () => {
  postern = await startPostern();
  client = await addClient(postern, { firstParty: true });
});
test.after.always(() => postern.close());

let count = 0;

/** A browser that two people have used; the second is signed in. */
async function shared() {
  const group = count++;
  const [first, second] = await Promise.all(
    ['first', 'second'].map((name) => addPerson(postern, `${name}${group}@example.com`, `${name} ${group}`)),
  );
  const agent = new UserAgent(postern.issuer);
  await authorize(postern, client, {}, agent, first!.email);
  await authorize(postern, client, { prompt: 'login' }, agent, second!.email);
  const ask = async (parameters: Record<string, string> = { prompt: 'select_account' }, by = client) => {
    const asked = await request(await discover(postern, by), parameters);
    return { asked, page: await agent.get(asked.url) };
  };
  return { first: first!, second: second!, agent, ask };
}

const pick = (agent: UserAgent, page: Answer, person: string) =>
  agent.submit(page, {}, { name: 'person', value: person });

test('whoever has used this browser is offered; who is signed in goes on without a password, who is not signs in', async (t) => {
  const { first, second, agent, ask } = await shared();
  const { asked, page } = await ask();
  t.is(page.page, 'choose');
  for (const { email } of [first, second]) t.true(page.html.includes(email));
  t.is(page.html.match(/Signed in/g)?.length, 1);
  const { left } = await pick(agent, page, second.id);
  t.is((await redeem(asked, left!)).claims()?.sub, second.id);
  const again = await ask();
  const login = await pick(agent, again.page, first.id);
  t.is(login.page, 'login');
  t.true(login.html.includes(`value="${first.email}"`));
  const answer = await signIn(agent, login, first.email);
  t.is((await redeem(again.asked, answer.left!)).claims()?.sub, first.id);
});

test('choosing who is signed in proves nothing: what else is demanded is asked for', async (t) => {
  const { second, agent, ask } = await shared();
  for (const more of [{ prompt: 'select_account login' }, { prompt: 'select_account', max_age: '0' }]) {
    const { asked, page } = await ask(more);
    t.is(page.page, 'choose');
    const login = await pick(agent, page, second.id);
    t.is(login.page, 'login', JSON.stringify(more));
    const { left } = await signIn(agent, login, second.email);
    t.is((await redeem(asked, left!)).claims()?.sub, second.id);
  }
  const { page } = await ask({ prompt: 'select_account', acr_values: 'urn:postern:acr:two-factor' });
  t.is((await pick(agent, page, second.id)).page, 'enrol');
  const third = await addClient(postern);
  t.is((await pick(agent, (await ask({ prompt: 'select_account' }, third)).page, second.id)).page, 'consent');
});

test('somebody else who does not want to go on as who is signed in is offered the others', async (t) => {
  const { first, second, agent, ask } = await shared();
  const { page: consent } = await ask({}, await addClient(postern));
  t.is(consent.page, 'consent');
  const page = await agent.submit(consent, {}, { name: 'decision', value: 'switch' });
  t.is(page.page, 'choose');
  t.true(page.html.includes(first.email));
  t.false(page.html.includes(second.email));
  const login = await pick(agent, page, first.id);
  t.is((await signIn(agent, login, first.email)).left?.searchParams.has('code'), true);
});

test('nobody is offered whose id was written into the cookie, who was forgotten, disabled, or did not want to stay signed in', async (t) => {
  const { first, second, agent, ask } = await shared();
  const stranger = await addPerson(postern, `stranger${count++}@example.com`);
  const [key, cookie] = [...agent.cookies].find(([name]) => /people/.test(name))!;
  agent.cookies.set(key, { ...cookie, value: cookie.value.replace(first.id, stranger.id) });
  const forged = (await ask()).page.html;
  t.false(forged.includes(stranger.email) || forged.includes(first.email));
  agent.cookies.set(key, cookie);
  t.is((await pick(agent, (await ask()).page, stranger.id)).page, 'login');
  await postern.domain.accounts.setDisabled(first.id, true);
  t.false((await ask()).page.html.includes(first.email));
  await postern.domain.accounts.setDisabled(first.id, false);
  const { page } = await ask();
  t.is((await agent.submit(page, {}, { name: 'decision', value: 'forget' })).page, 'login');
  const after = (await ask()).page;
  t.is(after.page, 'choose');
  t.true(after.html.includes(second.email), 'who is signed in is no secret here');
  t.false(after.html.includes(first.email));

  const passing = new UserAgent(postern.issuer);
  const asked = await request(await discover(postern, client));
  await passing.submit(await passing.get(asked.url), { email: first.email, password: 'correct horse battery staple' });
  t.false([...passing.cookies.keys()].some((name) => /people/.test(name)));
});

test('whoever would rather go back, goes back', async (t) => {
  const { agent, ask } = await shared();
  const { left } = await agent.submit((await ask()).page, {}, { name: 'decision', value: 'deny' });
  t.is(left?.searchParams.get('error'), 'access_denied');
});
