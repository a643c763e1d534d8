import { seconds } from '../../src/lib/index.ts';
import { type Registered, signIn } from '../support/client.ts';
import { asking, authorizeUrl, newBrowser } from './calls.ts';
import type { Guarded } from './population.ts';
import type { Race } from './single-use.ts';

/** Twenty browsers that know the password, and one code for all of them. */
const race =
  (codeOf: (somebody: Guarded) => string): Race =>
  async ({ stage: { issuer, guarded, clients } }, { trial, atOnce }) => {
    const somebody = guarded[trial]!;
    // One more, for whoever comes later.
    const waiting = await Promise.all(
      Array.from({ length: atOnce + 1 }, () => beforeCode(issuer, clients[0]!, somebody)),
    );
    const code = codeOf(somebody);
    return async () => {
      const { agent, answer } = waiting.pop()!;
      const { left, page, status } = await agent.submit(answer, { code });
      if (left?.searchParams.has('code')) return 'ok';
      return page === 'second-factor' && status === 400 ? 'invalid_code' : `${page} ${status}`;
    };
  };

/** A browser that is asked for a code, however busy the machine is with everybody's passwords. */
async function beforeCode(issuer: string, client: Registered, { email }: Guarded) {
  const giveUp = performance.now() + seconds(120);
  for (;;) {
    const { agent } = newBrowser(issuer, email);
    const begun = await agent.get(authorizeUrl(issuer, asking(client).parameters));
    const answer = await signIn(agent, begun, email);
    if (answer.page === 'second-factor') return { agent, answer };
    if (answer.status !== 503 || performance.now() > giveUp)
      throw new Error(`not asked for a code but ${answer.status} ${answer.page}`);
  }
}

export const FACTOR_RACES: Readonly<Record<string, Race>> = {
  'time step of an app (RFC 6238)': race(({ app }) => app.code()),
  'recovery code': race(({ recoveryCode }) => recoveryCode),
};
