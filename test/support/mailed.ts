import { discover, type Registered, request } from './client.ts';
import { type MailServer, startMailServer } from './mail-server.ts';
import { addClient, type Postern, startPostern } from './postern.ts';
import { type Answer, UserAgent } from './user-agent.ts';

export interface Mailed {
  readonly mail: MailServer;
  readonly postern: Postern;
  /** An application of the operator's own. */
  readonly client: Registered;
  close(): Promise<void>;
}

/** A server that hands its mails to a real mail server. Nobody is refused for asking too often unless `env` says so. */
export async function startMailed(env: Readonly<Record<string, string>> = {}): Promise<Mailed> {
  const mail = await startMailServer();
  const postern = await startPostern({
    env: {
      POSTERN_SMTP_URL: mail.url,
      POSTERN_MAIL_PER_ADDRESS: '1000',
      POSTERN_MAIL_PER_NETWORK: '100000',
      ...env,
    },
  });
  return {
    mail,
    postern,
    client: await addClient(postern, { firstParty: true }),
    async close() {
      await postern.close();
      await mail.close();
    },
  };
}

/** A browser at the sign-in page of an application. */
export async function atSignIn(
  { postern, client }: Pick<Mailed, 'postern' | 'client'>,
  {
    parameters = {},
    agent = new UserAgent(postern.issuer),
  }: { parameters?: Record<string, string>; agent?: UserAgent } = {},
) {
  const asked = await request(await discover(postern, client), parameters);
  return { agent, asked, login: await agent.get(asked.url) };
}

/** Follows the link of a page to this path. */
export function follow(agent: UserAgent, { html, page }: Answer, path: string): Promise<Answer> {
  const href = new RegExp(`href="(${path}[^"]*)"`).exec(html)?.[1];
  if (!href) throw new Error(`the page ${page} has no link to ${path}`);
  return agent.get(href.replaceAll('&amp;', '&'));
}

/** What a page says in an alert. */
export const alertOf = ({ html }: Answer): string | undefined =>
  /role="alert"[\s\S]*?<p(?: [^>]*)?>([^<]*)</.exec(html)?.[1];
