import { createOwnFactors, createPasskeys } from '../../src/factors/index.ts';
import { AuthenticatorApp } from '../support/authenticator-app.ts';
import { ISSUER, testDomain } from '../support/domain.ts';

/** The rooms below a page that deals with factors, on a store in memory. */
export function factorRoom(options: Parameters<typeof testDomain>[0] = {}) {
  const { domain, now, time, store } = testDomain(options);
  const { factors, challenges } = domain;
  const brand = 'Postern';
  const passkeys = createPasskeys({ factors, challenges, issuer: ISSUER, brand });
  const ownFactors = createOwnFactors({ domain, passkeys, now, brand });
  let people = 0;
  return {
    domain,
    passkeys,
    ownFactors,
    time,
    store,
    somebody: () => domain.accounts.add({ email: `p${++people}@example.com`, password: 'correct horse battery' }),
    /** Gives the person an authenticator app. */
    async withApp(person: Awaited<ReturnType<typeof domain.accounts.add>>, name?: string) {
      const { enrolment, secret } = ownFactors.beginTotp(person, 'session');
      const app = new AuthenticatorApp(secret, now);
      const form = { enrolment, code: app.fresh(), ...(name !== undefined && { name }) };
      const result = await ownFactors.finishTotp(person, 'session', form);
      if ('error' in result) throw new Error(result.error);
      return app;
    },
  };
}
