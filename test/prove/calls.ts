/** The protocol from a client's side, each call with what can be known of its outcome. */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { seconds } from '../../src/lib/index.ts';
import { signIn as fillIn, type Registered } from '../support/client.ts';
import { CALLBACK } from '../support/postern.ts';
import { type Answer as Page, UserAgent } from '../support/user-agent.ts';

/** A connection that broke and a 5xx that says so leave open whether it happened. */
export type Answer =
  | { readonly outcome: 'ok'; readonly body: Readonly<Record<string, string>> }
  | { readonly outcome: 'refused'; readonly error: string }
  | { readonly outcome: 'unknown'; readonly why: string }
  | { readonly outcome: 'odd'; readonly why: string };

type Form = Readonly<Record<string, string>>;

/** What a token or an assertion that is no good is told (RFC 6749 §5.2, RFC 9126 §2.3). */
const REFUSALS = new Set(['invalid_grant', 'invalid_request_uri']);
const LONGEST = 15_000;

export async function post(
  url: string,
  client: Registered,
  form: Form,
  headers: Readonly<Record<string, string>> = {},
  refusals: ReadonlySet<string> = REFUSALS,
): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams(client.secret ? form : { client_id: client.id, ...form }),
      headers: {
        ...(client.secret && { authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` }),
        ...headers,
      },
      signal: AbortSignal.timeout(LONGEST),
    });
    const text = await response.text();
    const { status } = response;
    if (status === 503) return { outcome: 'unknown', why: '503' };
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, string>);
    if (status < 300) return { outcome: 'ok', body };
    if (refusals.has(body['error'] ?? '')) return { outcome: 'refused', error: body['error']! };
    return { outcome: 'odd', why: `${status} ${text}` };
  } catch (error) {
    return { outcome: 'unknown', why: reasonOf(error) };
  }
}

/** The system's code, or the message, of what fetch threw. */
export function reasonOf(error: unknown): string {
  const { cause, message, name } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? (name === 'TimeoutError' ? 'no answer' : (cause?.message ?? message));
}

/** A code that a browser brought back, with what redeems it. */
export interface Code {
  readonly code: string;
  readonly verifier: string;
}

export interface Browser {
  readonly agent: UserAgent;
  readonly email: string;
}

export const redemption = ({ code, verifier }: Code): Form => ({
  grant_type: 'authorization_code',
  code,
  redirect_uri: CALLBACK,
  code_verifier: verifier,
});

export const refreshing = (token: string): Form => ({ grant_type: 'refresh_token', refresh_token: token });

/** The parameters of an authorization request. */
export function asking(client: Registered): { parameters: Form; verifier: string } {
  const verifier = randomBytes(32).toString('base64url');
  const parameters = {
    client_id: client.id,
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'openid',
    state: 's',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  };
  return { parameters, verifier };
}

export const authorizeUrl = (issuer: string, parameters: Form): string =>
  `${issuer}/authorize?${new URLSearchParams(parameters)}`;

/** Signs in where that is asked for, and comes back with a code. @throws what the browser met instead */
export async function fetchCode(issuer: string, { agent, email }: Browser, client: Registered): Promise<Code> {
  const { parameters, verifier } = asking(client);
  const answer = await fillIn(agent, await agent.get(authorizeUrl(issuer, parameters)), email);
  const code = answer.left?.searchParams.get('code');
  if (!code) throw new Error(`no code but ${answer.left ?? `${answer.status} ${answer.page}`}`);
  return { code, verifier };
}

/** The same, again and again while the server is away for a moment. */
export async function fetchCodeAtLast(
  issuer: string,
  browser: Browser,
  client: Registered,
  onStumble: (why: string) => void = () => {},
): Promise<Code> {
  const giveUp = performance.now() + seconds(120);
  for (;;) {
    try {
      return await fetchCode(issuer, browser, client);
    } catch (error) {
      if (performance.now() > giveUp) throw error;
      onStumble(reasonOf(error));
      await pause(100);
    }
  }
}

/** Through the sign-out page, again where another tab signed out meanwhile. @throws what the browser met instead */
export async function signOut({ agent }: Pick<Browser, 'agent'>, attempts = 5): Promise<void> {
  const page: Page = await agent.get('/logout');
  // Another tab was faster: nobody is signed in, and nobody is asked.
  if (page.page === 'signed-out') return;
  if (page.page !== 'logout') throw new Error(`no sign-out page but ${page.status} ${page.page}`);
  const answer = await agent.submit(page, {}, { name: 'logout', value: 'yes' });
  if (answer.page === 'signed-out') return;
  if (answer.status === 400 && attempts > 1) return signOut({ agent }, attempts - 1);
  throw new Error(`not signed out but ${answer.status} ${answer.page} at ${answer.url}`);
}

export const newBrowser = (issuer: string, email: string): Browser => ({ agent: new UserAgent(issuer), email });
