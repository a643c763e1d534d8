import test from 'ava';
import { addOperator } from '../support/operators.ts';
import { addPerson, type Postern, startPostern } from '../support/postern.ts';
import { password } from './application.ts';
import { axe, openBrowser, openPage, screenshot } from './browser.ts';

let browser: Awaited<ReturnType<typeof openBrowser>>;
let postern: Postern;
test.before(async () => {
  [browser, postern] = await Promise.all([openBrowser(), startPostern()]);
});
test.after.always(async () => {
  await browser?.close();
  await postern?.close();
});

test.serial('without scripts an operator disables somebody, who is out at once, and adds an application', async (t) => {
  const [operator, person] = [await addOperator(postern), await addPerson(postern)];
  const theirs = await openPage(browser, { javaScriptEnabled: false });
  await theirs.page.goto(`${postern.issuer}/account`);
  await password(theirs.page, person.email);

  const { page, complaints } = await openPage(browser, { javaScriptEnabled: false });
  await page.goto(`${postern.issuer}/account`);
  await password(page, operator.email);
  await page.click('.menu >> text=Operator');
  await page.waitForSelector('[data-page=admin]');
  await page.click('.menu >> text=People');
  await page.fill('[name=who]', person.email.slice(1).toUpperCase());
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-page=admin-person]');
  await page.dblclick('button[value=end-session]', { delay: 10, noWaitAfter: true });
  await page.waitForSelector('text=That sign-in is ended');
  await theirs.page.reload();
  await password(theirs.page, person.email);
  await page.reload();
  await page.waitForSelector('button[value=end-session]');
  await page.dblclick('button[value=disable]', { delay: 10, noWaitAfter: true });
  await page.waitForSelector('text=They are disabled');
  await theirs.page.reload();
  t.is(await theirs.page.locator('main').getAttribute('data-page'), 'login');

  await page.click('.back >> text=People');
  await page.click('.back >> text=Operator');
  await page.click('.menu >> text=Applications');
  await page.click('text=Add an application');
  await page.check('text=Web application');
  await page.fill('[name=name]', 'Riverside Library');
  await page.fill('[name=redirect_uris]', 'http://books.example/back');
  await page.click('button.primary');
  await page.waitForSelector('[role=alert]');
  t.is(await page.inputValue('[name=name]'), 'Riverside Library');
  await page.fill('[name=redirect_uris]', 'https://books.example/back');
  await page.dblclick('button.primary', { delay: 10, noWaitAfter: true });
  await page.waitForSelector('[data-page=admin-once]');
  const [id, secret] = [await page.inputValue('#id'), await page.inputValue('#once')];
  const client = await postern.domain.clients.get(id);
  t.true(client && postern.domain.clients.verifySecret(client, secret), 'of two clicks the one that is seen is good');
  t.is((await postern.domain.clients.list()).clients.length, 1);
  await page.click('text=I have kept it');
  await page.waitForSelector('[data-page=admin-application]');
  // The refused form, which is told as one.
  t.deepEqual(
    complaints.filter((each) => !each.includes('status of 400')),
    [],
  );

  const withScripts = await openPage(browser);
  await withScripts.context.addCookies(await page.context().cookies());
  const theRest = ['/applications/new', `/applications/${id}`, '/upstreams/new?kind=microsoft'];
  for (const path of ['', '/people', `/people/${person.id}`, ...theRest]) {
    await withScripts.page.goto(`${postern.issuer}/admin${path}`);
    t.deepEqual(await axe(withScripts.page), [], path);
  }
});

test.serial(
  'without scripts an operator reads the callback, and adds a provider with what it gave for it',
  async (t) => {
    const operator = await addOperator(postern);
    const { page } = await openPage(browser, { javaScriptEnabled: false });
    await page.goto(`${postern.issuer}/admin`);
    await password(page, operator.email);
    await page.click('.menu >> text=Sign-in providers');
    await page.click('text=Add a provider');
    await page.click('.menu >> text=OpenID Connect');
    t.is(await page.inputValue('#callback'), `${postern.issuer}/upstream/oidc/callback`);
    await page.fill('[name=id]', 'city');
    await page.fill('[name=issuer]', 'http://id.city.example');
    await page.fill('[name=client_id]', 'riverside');
    await page.fill('[name=client_secret]', 'a secret of theirs');
    await page.fill('[name=name]', 'City of Riverside');
    await page.check('[name=trust_email]');
    await page.click('button.primary');
    await page.waitForSelector('[role=alert]');
    t.is(await page.inputValue('#callback'), `${postern.issuer}/upstream/city/callback`);
    t.is(await page.inputValue('[name=client_secret]'), '');
    await page.fill('[name=issuer]', 'https://id.city.example');
    await page.fill('[name=client_secret]', 'a secret of theirs');
    await page.dblclick('button.primary', { delay: 10, noWaitAfter: true });
    await page.waitForSelector('text=The provider is added');
    t.is(await page.textContent('code.copied'), `${postern.issuer}/upstream/city/callback`);
    const upstream = (await postern.domain.upstreams.get('city'))!;
    t.like(upstream, { clientId: 'riverside', trustsEmail: true, signsUp: false });
    t.is(postern.domain.upstreams.providerOf(upstream).clientSecret, 'a secret of theirs');
    await page.click('text=Remove this provider');
    await page.dblclick('button[value=remove]', { delay: 10, noWaitAfter: true });
    await page.waitForSelector('text=The provider is removed');
    t.deepEqual(postern.domain.upstreams.list(), []);
  },
);

test.serial('who was found is there after going back, and after a reload, without a form to send again', async (t) => {
  const operator = await addOperator(postern);
  for (let n = 0; n < 60; n += 1) await addPerson(postern, `zuse${n}@example.com`, `Konrad ${n}`);
  const { context, page, complaints } = await openPage(browser, { javaScriptEnabled: false });
  await page.goto(`${postern.issuer}/admin/people`);
  await password(page, operator.email);
  await page.fill('[name=who]', 'konrad');
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=All people');
  await screenshot(page, 'admin-people-found');
  const listed = () => page.locator('.menu > li').count();
  await page.click('[rel=next]');
  t.is(await listed(), 10);
  await page.locator('.menu > li a').first().click();
  await page.waitForSelector('[data-page=admin-person]');
  for (const shown of [10, 50]) {
    await page.goBack();
    t.is(await listed(), shown);
    await page.reload();
    t.is(await listed(), shown);
    t.is(await page.inputValue('[name=who]'), 'konrad');
  }
  t.notRegex(page.url(), /konrad/i);
  t.deepEqual(complaints, []);
  await context.close();
});

test.serial(
  'whoever has an address with letters beyond ASCII signs in by it, and an operator corrects their name',
  async (t) => {
    const operator = await addOperator(postern);
    const { page } = await openPage(browser);
    await page.goto(`${postern.issuer}/account`);
    await password(page, operator.email);
    for (const email of ['anna@bücher.example', 'bert@xn--bcher-kva.example', 'jürgen@example.com']) {
      const { id } = await addPerson(postern, email);
      await page.goto(`${postern.issuer}/admin/people/${id}/edit`);
      await page.fill('[name=name]', 'Anna Boole');
      await page.click('button.primary');
      await page.waitForSelector('[data-page=admin-person]');
      const { name, email: kept } = (await postern.domain.accounts.get(id))!;
      t.deepEqual([name, kept], ['Anna Boole', email]);
      const theirs = await openPage(browser);
      await theirs.page.goto(`${postern.issuer}/account`);
      await password(theirs.page, email.replace('xn--bcher-kva', 'bücher'));
      t.is(await theirs.page.locator('main').getAttribute('data-page'), 'account', email);
      await theirs.context.close();
    }
  },
);
