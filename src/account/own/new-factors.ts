import type { SignedIn } from '../../engine/index.ts';
import type { NotEnrolled } from '../../factors/index.ts';
import { sendOn } from '../../http/index.ts';
import type { OwnPage, OwnRoom } from './own.ts';

/** What an enrolment on these pages belongs to. */
const during = ({ sessionId }: SignedIn): string => `session:${sessionId}`;

/** Codes for the day it is lost; whoever keeps some goes on to all they own. */
const AFTERWARDS = { to: 'recovery-codes' } as const;

const notAdded = ({ error }: NotEnrolled) => (error === 'done' ? AFTERWARDS : { error });

/** Adding an authenticator app. */
export const totpPage = ({ ownFactors, ownSessions, pages }: OwnRoom): OwnPage => ({
  name: 'totp',
  sensitive: true,
  show: async (ctx, me, frame, form) =>
    pages.show(ctx, 'account-totp', {
      ...frame,
      totp: ownFactors.beginTotp(me.person, during(me), form?.['enrolment']),
    }),
  decisions: {
    async add(ctx, me, form) {
      const result = await ownFactors.finishTotp(me.person, during(me), form);
      if ('error' in result) return notAdded(result);
      await ownSessions.proved(ctx, result.amr);
      return AFTERWARDS;
    },
  },
});

/** Adding a passkey, with a name to know it by. It needs a script, as every passkey does. */
export const passkeyPage = ({ ownFactors, ownSessions, pages }: OwnRoom): OwnPage => ({
  name: 'passkey',
  sensitive: true,
  async show(ctx, me, frame, form) {
    const passkey = await ownFactors.beginPasskey(me.person, during(me));
    pages.show(ctx, 'account-passkey', { ...frame, passkey, name: form?.['name'] ?? '' });
  },
  decisions: {
    async add(ctx, me, { passkey = '', name }) {
      const result = await ownFactors.finishPasskey(me.person, during(me), passkey, name?.trim() || undefined);
      if ('error' in result) return notAdded(result);
      await ownSessions.proved(ctx, result.amr);
      return AFTERWARDS;
    },
  },
});

/** Recovery codes, shown once: whoever keeps a set is shown no other unless they ask for one. */
export const recoveryCodesPage = ({ domain, ownFactors, pages }: OwnRoom): OwnPage => ({
  name: 'recovery-codes',
  sensitive: true,
  async show(ctx, { person }, { action, csrf }) {
    if ((await domain.recoveryCodes.areKept(person.id)) || !(await domain.factors.hasSecond(person.id)))
      return sendOn(ctx, '/account/factors');
    pages.show(ctx, 'recovery-codes', { action, csrf, ...(await ownFactors.newCodes(person.id)) });
  },
  decisions: {
    async ''(_ctx, { person }, form) {
      const kept = await ownFactors.keepCodes(person.id, form['set'] ?? '');
      // Another tab was shown others since, and those of this page are worth nothing.
      return kept ? { to: 'factors', done: 'codes' } : { to: 'recovery-codes' };
    },
  },
});
