import { signIn } from './client.ts';
import { PASSWORD, type Postern } from './postern.ts';
import { type Answer, UserAgent } from './user-agent.ts';

let operators = 0;

/** An operator who can sign in. */
export const addOperator = ({ domain }: Pick<Postern, 'domain'>, email = `operator${++operators}@example.com`) =>
  domain.accounts.add({ email, name: 'Grace Hopper', password: PASSWORD, admin: true });

/** An operator on a page of theirs, in a browser of their own. */
export async function atDesk(postern: Postern, path = '/admin', email?: string) {
  const person = email === undefined ? await addOperator(postern) : undefined;
  const agent = new UserAgent(postern.issuer);
  const page: Answer = await signIn(agent, await agent.get(path), email ?? person?.email);
  return { agent, page, person: person ?? (await postern.domain.accounts.byEmail(email ?? ''))! };
}
