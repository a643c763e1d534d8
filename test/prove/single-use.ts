import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { DEVICE_GRANT } from '../../src/domain/index.ts';
import { signIn } from '../support/client.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { PASSWORD } from '../support/postern.ts';
import { UserAgent } from '../support/user-agent.ts';
import { asking, authorizeUrl, type Browser, fetchCode, newBrowser, post, redemption, refreshing } from './calls.ts';
import { FACTOR_RACES } from './factor-races.ts';
import { type Finding, type Ground, part } from './part.ts';
import { ALL, type Stage } from './set-ups.ts';

interface Numbers {
  readonly trials: number;
  readonly atOnce: number;
}

/** Whatever may be used once, presented by many at the same moment. */
export const singleUse = part<Numbers>({
  name: 'single-use',
  promise: 'what is good once succeeds once, however many present it at the same moment',
  setUps: ALL,
  inShort: ['file', 'cluster'],
  short: { trials: 2, atOnce: 20 },
  full: { trials: 50, atOnce: 20 },
  async prove(ground, numbers) {
    const mail = await startMailServer();
    try {
      const stage = await ground.open({ people: 2, guarded: numbers.trials, clients: 2, env: mailing(mail) });
      const racing = { stage, mail, browser: newBrowser(stage.issuer, stage.people[0]!.email) };
      const findings: Finding[] = [];
      for (const [fact, race] of Object.entries(RACES)) findings.push(await trials(fact, race, racing, numbers));
      findings.push(await refreshes(ground, racing, numbers));
      return findings;
    } finally {
      await mail.close();
    }
  },
});

interface Racing {
  readonly stage: Stage;
  readonly browser: Browser;
  readonly mail: MailServer;
}

const mailing = ({ url }: MailServer) => ({
  POSTERN_SMTP_URL: url,
  POSTERN_SIGN_UP: 'open',
  POSTERN_MAIL_PER_ADDRESS: '1000',
  POSTERN_MAIL_PER_NETWORK: '1000',
});

/** Makes something, and gives the way to present it: `ok` for whoever succeeded, else the word of the refusal. */
export type Race = (
  racing: Racing,
  which: { readonly trial: number; readonly atOnce: number },
) => Promise<() => Promise<string>>;

const RACES: Readonly<Record<string, Race>> = {
  'authorization code': async ({ stage, browser }) => {
    const [client] = stage.clients;
    const code = await fetchCode(stage.issuer, browser, client!);
    return () => wordOf(post(`${stage.issuer}/token`, client!, redemption(code)));
  },

  'client assertion (RFC 7523)': async ({ stage }) => {
    const { prover, issuer } = stage;
    const assertion = await new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
      .setIssuer(prover.id)
      .setSubject(prover.id)
      .setAudience(issuer)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(prover.key);
    const form = {
      ...asking(prover).parameters,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    };
    return () => wordOf(post(`${issuer}/par`, { id: prover.id }, form, {}, new Set(['invalid_client'])));
  },

  'pushed request (RFC 9126)': async ({ stage, browser }) => {
    const { issuer, clients } = stage;
    const client = clients[1]!;
    const pushed = await post(`${issuer}/par`, client, asking(client).parameters);
    if (pushed.outcome !== 'ok') throw new Error(`not pushed: ${JSON.stringify(pushed)}`);
    const url = authorizeUrl(issuer, { client_id: client.id, request_uri: pushed.body['request_uri']! });
    return () => follow(url, browser);
  },

  'device code (RFC 8628)': async ({ stage, browser: { agent, email } }) => {
    const { issuer, television } = stage;
    const shown = await post(`${issuer}/device_authorization`, television, { scope: 'openid' });
    if (shown.outcome !== 'ok') throw new Error(`no device code: ${JSON.stringify(shown)}`);
    const { device_code = '', user_code = '' } = shown.body;
    const typed = await agent.submit(await agent.get('/device'), { user_code });
    const { url } = await signIn(agent, typed, email);
    if (!url.endsWith('/device/allowed')) throw new Error(`not allowed but ${url}`);
    return () => wordOf(post(`${issuer}/token`, television, { grant_type: DEVICE_GRANT, device_code }));
  },

  'DPoP proof (RFC 9449)': async ({ stage, browser }) => {
    const { issuer, clients } = stage;
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const proof = (htm: string, path: string, more: object = {}): Promise<string> =>
      new SignJWT({ htm, htu: `${issuer}${path}`, jti: crypto.randomUUID(), ...more })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .setIssuedAt()
        .sign(privateKey);
    const code = await fetchCode(issuer, browser, clients[0]!);
    const bound = await post(`${issuer}/token`, clients[0]!, redemption(code), { dpop: await proof('POST', '/token') });
    if (bound.outcome !== 'ok') throw new Error(`no bound token: ${JSON.stringify(bound)}`);
    const token = bound.body['access_token']!;
    const digest = await crypto.subtle.digest('SHA-256', Buffer.from(token));
    const dpop = await proof('GET', '/userinfo', { ath: Buffer.from(digest).toString('base64url') });
    return async () => {
      const answer = await fetch(`${issuer}/userinfo`, { headers: { authorization: `DPoP ${token}`, dpop } });
      const { error } = (await answer.json()) as { error?: string };
      return answer.ok ? 'ok' : `${error} ${answer.status} ${answer.headers.get('www-authenticate')}`;
    };
  },

  'link to a new password': ({ stage, mail }) =>
    mailedLink(stage, mail, '/account/forgot', stage.people[1]!.email, '/account/reset'),

  'link of a sign-up': ({ stage, mail }) =>
    mailedLink(stage, mail, '/account/sign-up', `${crypto.randomUUID()}@example.com`, '/account/join'),

  ...FACTOR_RACES,
};

/** Asks for a mail, and sends forms that its link leads to, each another one: of one sent twice both clicks are told that it is done. */
async function mailedLink({ issuer }: Stage, mail: MailServer, form: string, email: string, leadsTo: string) {
  const agent = new UserAgent(issuer);
  await agent.submit(await agent.get(form), { email });
  for (;;) {
    const { link } = await mail.next(email);
    if (link?.pathname !== leadsTo) continue;
    const shown = await agent.get(link);
    let sent = 0;
    return async () => {
      sent += 1;
      const { page, status } = await agent.submit(shown, { password: `${PASSWORD} ${sent}` });
      return page === 'done' ? 'ok' : page === 'link-gone' && status === 410 ? 'invalid_link' : `${page} ${status}`;
    };
  }
}

async function trials(fact: string, race: Race, racing: Racing, { trials: count, atOnce }: Numbers): Promise<Finding> {
  const wrong = new Map<number, string>();
  const refusals = new Set<string>();
  for (let trial = 0; trial < count; trial += 1) {
    const present = await race(racing, { trial, atOnce });
    const words = await Promise.all(Array.from({ length: atOnce }, present));
    if (words.filter((word) => word === 'ok').length !== 1) wrong.set(trial, words.join(' '));
    for (const word of words) if (word !== 'ok') refusals.add(word);
    // And whoever comes later.
    if ((await present()) === 'ok') wrong.set(trial, `${words.join(' ')}, and again`);
  }
  // One word for every loser, and never a failure of ours.
  const held = wrong.size === 0 && refusals.size === 1 && /^invalid_/.test([...refusals][0]!);
  const figure = `1 of ${atOnce} in ${count - wrong.size} of ${count} trials`;
  return { fact, figure, held, detail: [...wrong.values(), ...refusals].join('\n') };
}

/** Of a refresh token everybody gets the same answer; once the window is over, presenting it ends the family. */
async function refreshes(
  { say }: Ground,
  { stage, browser }: Omit<Racing, 'mail'>,
  { trials: count, atOnce }: Numbers,
): Promise<Finding> {
  const [client] = stage.clients;
  const token = `${stage.issuer}/token`;
  const wrong: string[] = [];
  const families: { old: string; refresh: string; access: string }[] = [];
  for (let trial = 0; trial < count; trial += 1) {
    const issued = await post(token, client!, redemption(await fetchCode(stage.issuer, browser, client!)));
    if (issued.outcome !== 'ok') throw new Error(`no tokens: ${JSON.stringify(issued)}`);
    const old = issued.body['refresh_token']!;
    const answers = await Promise.all(Array.from({ length: atOnce }, () => post(token, client!, refreshing(old))));
    const distinct = new Set(answers.map((answer) => JSON.stringify(answer)));
    const [first] = answers;
    if (first?.outcome !== 'ok' || distinct.size !== 1) wrong.push([...distinct].map(withoutTokens).join(' '));
    else families.push({ old, refresh: first.body['refresh_token']!, access: first.body['access_token']! });
  }
  await Promise.all(stage.servers.map((server) => server.move({ wall: 31_000, monotonic: 31_000 })));
  let ended = 0;
  for (const { old, refresh, access } of families) {
    const late = await Promise.all(Array.from({ length: 4 }, () => post(token, client!, refreshing(old))));
    const after = await post(token, client!, refreshing(refresh));
    const seen = await post(`${stage.issuer}/introspect`, client!, { token: access });
    const refused = [...late, after].every(({ outcome }) => outcome === 'refused');
    if (refused && seen.outcome === 'ok' && (seen.body['active'] as unknown) === false) ended += 1;
    else wrong.push(`not ended: ${[...late, after, seen].map(({ outcome }) => outcome).join(' ')}`);
  }
  say(`${ended} of ${count} families ended when the token came back after the window`);
  const figure = `${atOnce} × 200, one answer, in ${families.length} of ${count} trials; late: family ended ${ended} of ${count}`;
  return { fact: 'refresh token', figure, held: wrong.length === 0, detail: wrong.join('\n') };
}

async function wordOf(asked: ReturnType<typeof post>): Promise<string> {
  const answer = await asked;
  if (answer.outcome === 'ok') return 'ok';
  return answer.outcome === 'refused' ? answer.error : answer.why;
}

/** What a browser meets that is signed in: `ok` where it comes back with a code. */
async function follow(url: string, { agent }: Browser): Promise<string> {
  const answer = await agent.get(url);
  if (answer.left?.searchParams.has('code')) return 'ok';
  return answer.left?.searchParams.get('error') ?? `invalid_request_uri: ${answer.page} ${answer.status}`;
}

const withoutTokens = (text: string): string => text.replaceAll(/eyJ[\w.-]+/g, 'eyJ…');
