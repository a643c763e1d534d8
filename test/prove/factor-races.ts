import { signIn } from '../support/client.ts';
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
      Array.from({ length: atOnce + 1 }, async () => {
        const { agent } = newBrowser(issuer, somebody.email);
        const begun = await agent.get(authorizeUrl(issuer, asking(clients[0]!).parameters));
        return { agent, answer: await signIn(agent, begun, somebody.email) };
      }),
    );
    const code = codeOf(somebody);
    return async () => {
      const { agent, answer } = waiting.pop()!;
      if (answer.page !== 'second-factor') return `${answer.page} instead of second-factor`;
      const { left, page, status } = await agent.submit(answer, { code });
      if (left?.searchParams.has('code')) return 'ok';
      return page === 'second-factor' && status === 400 ? 'invalid_code' : `${page} ${status}`;
    };
  };

export const FACTOR_RACES: Readonly<Record<string, Race>> = {
  'time step of an app (RFC 6238)': race(({ app }) => app.code()),
  'recovery code': race(({ recoveryCode }) => recoveryCode),
};
