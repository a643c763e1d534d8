import { newTotpSecret } from '../../src/factors/index.ts';
import type { Server } from '../../src/server.ts';
import { AuthenticatorApp } from './authenticator-app.ts';
import { discover, request } from './client.ts';
import { addClient, PASSWORD } from './postern.ts';
import { UserAgent } from './user-agent.ts';

/** The words for how sure a server is of somebody. */
export const ONE = 'urn:postern:acr:one-factor';
export const TWO = 'urn:postern:acr:two-factor';
export const PHR = 'phr';

/** The recovery codes of {@link giveApp}, without what makes them readable. */
export const RECOVERY_CODES = ['7QMK2XHD9RTP', 'W3N8HC5Z0YAV'];

/** An authenticator app for somebody, and recovery codes that they keep. */
export async function giveApp({ domain }: Pick<Server, 'domain'>, { id }: { readonly id: string }) {
  const secret = newTotpSecret();
  const { accounts, factors, recoveryCodes, challenges } = domain;
  const owner = (await accounts.get(id))!;
  const binding = { purpose: 'enrol-totp', boundTo: 'test', accountId: id } as const;
  await factors.addTotp(owner, secret, 0, undefined, challenges.spend(binding, challenges.issue(binding)));
  await recoveryCodes.keep(id, await recoveryCodes.put(id, RECOVERY_CODES));
  return new AuthenticatorApp(secret);
}

type Terms = Parameters<typeof addClient>[1];

/** An application's request, at whatever page it leads to. */
export async function begin(
  server: Server,
  {
    parameters = {},
    terms = {},
    agent = new UserAgent(server.issuer),
  }: {
    parameters?: Record<string, string>;
    terms?: Terms;
    agent?: UserAgent;
  } = {},
) {
  const client = await addClient(server, { firstParty: true, ...terms });
  const asked = await request(await discover(server, client), parameters);
  return { agent, client, asked, answer: await agent.get(asked.url) };
}

/** The same, as far as the page after the password. */
export async function beginAs(server: Server, email: string, how: Parameters<typeof begin>[1] = {}) {
  const begun = await begin(server, how);
  const answer = await begun.agent.submit(begun.answer, { email, password: PASSWORD, remember: 'yes' });
  return { ...begun, answer };
}
