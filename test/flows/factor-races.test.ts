/** What is good once, tried by twenty browsers in the same moment: one gets in, on either store, through either server. */
import test from 'ava';
import { createOwnFactors, createPasskeys } from '../../src/factors/index.ts';
import { seconds } from '../../src/lib/index.ts';
import { Authenticator } from '../support/authenticator.ts';
import { pass } from '../support/clock.ts';
import { addPerson, type Postern } from '../support/postern.ts';
import { type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { beginAs, giveApp, RECOVERY_CODES } from '../support/second-factor.ts';
import { SET_UPS } from '../support/set-ups.ts';

const BROWSERS = 20;

let databases: DatabaseServer;
test.before(async () => {
  databases = await startDatabaseServer();
});
test.after.always(() => databases?.remove());

/** Twenty browsers that have given the password. */
const waiting = (server: Postern, email: string) =>
  Promise.all(Array.from({ length: BROWSERS }, () => beginAs(server, email)));

for (const [name, start] of Object.entries(SET_UPS)) {
  test.serial(`${name}: a time step of an app, and a recovery code, lets in one of twenty`, async (t) => {
    const servers = await start(databases);
    t.teardown(() => Promise.all(servers.toReversed().map((server) => server.close())));
    const person = await addPerson(servers[0]!);
    const app = await giveApp(servers[0]!, person);
    let browsers = await waiting(servers[0]!, person.email);
    const trial = async (code: string, what: string) => {
      const answers = await Promise.all(
        browsers.map(({ agent, answer }, i) => {
          agent.through = servers[i % servers.length]!.url;
          return agent.submit(answer, { code });
        }),
      );
      t.is(answers.filter(({ left }) => left).length, 1, what);
      t.is(answers.filter(({ page, status }) => page === 'second-factor' && status === 400).length, BROWSERS - 1, what);
      const losers = browsers.filter((_, i) => !answers[i]!.left);
      browsers = [...losers, await beginAs(servers[0]!, person.email)];
    };
    for (let i = 0; i < 3; i++) {
      await trial(app.code(), `time step ${i}`);
      pass(seconds(30));
    }
    for (const code of RECOVERY_CODES) await trial(code, 'recovery code');
  });

  test.serial(`${name}: an answer of a passkey is taken once of twenty times`, async (t) => {
    const servers = await start(databases);
    t.teardown(() => Promise.all(servers.toReversed().map((server) => server.close())));
    const [{ domain, issuer }] = servers as readonly [Postern, ...Postern[]];
    const rooms = servers.map(({ domain: own }) => {
      const { factors, challenges } = own;
      const passkeys = createPasskeys({ factors, challenges, issuer, brand: 'Postern' });
      return { passkeys, ownFactors: createOwnFactors({ domain: own, passkeys, now: Date.now, brand: 'Postern' }) };
    });
    const { passkeys, ownFactors } = rooms[0]!;
    const person = await addPerson(servers[0]!);
    const key = new Authenticator(issuer);
    const made = key.make((await ownFactors.beginPasskey(person, 'here'))!);
    const enrolled = await Promise.all(
      Array.from({ length: BROWSERS }, (_, i) =>
        rooms[i % rooms.length]!.ownFactors.finishPasskey(person, 'here', made, undefined),
      ),
    );
    t.is(enrolled.filter((result) => 'amr' in result).length, 1, 'made');
    const answer = key.answer(await passkeys.ask('here', person, await domain.factors.list(person.id)));
    const used = await Promise.all(
      Array.from({ length: BROWSERS }, async (_, i) =>
        (await rooms[i % rooms.length]!.passkeys.verify('here', answer, person))?.use(),
      ),
    );
    t.is(used.filter(Boolean).length, 1, 'answered');
  });
}
