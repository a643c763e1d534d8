import type { Context } from 'koa';
import type { PendingRequest } from '../engine/index.ts';
import { allowFormRedirect } from '../http/index.ts';
import { type Interacting, ofPerson } from './context.ts';
import { loadRequest, type Step } from './steps.ts';

/**
 * Codes for the day the phone is lost. They are made as they are shown, so that nobody ever has to keep them readable;
 * whoever comes back to the page without having kept them is given others.
 */
export function recoveryCodesStep(room: Interacting): Step {
  const { domain, ownFactors, pages, csrf } = room;

  async function show(ctx: Context, { progress, uid, redirectUri }: PendingRequest): Promise<void> {
    if (progress.missing !== undefined) return;
    const { accountId } = progress;
    const { codes, set } = await ownFactors.newCodes(accountId);
    const action = `/interaction/${uid}/recovery-codes`;
    allowFormRedirect(ctx, redirectUri);
    pages.show(ctx, 'recovery-codes', {
      action,
      csrf: csrf.token(ctx, action, ofPerson(uid, accountId)),
      codes,
      set,
    });
  }

  return {
    name: 'recovery-codes',

    async isNext(_ctx, { progress, signedInHere }) {
      if (progress.missing !== undefined || !signedInHere) return false;
      const { factors, recoveryCodes } = domain;
      return !(await recoveryCodes.areKept(progress.accountId)) && factors.hasSecond(progress.accountId);
    },

    show,

    async submit(ctx, uid, form) {
      const { progress } = await loadRequest(ctx, room, uid);
      if (progress.missing !== undefined) return 'next';
      csrf.check(ctx, form, ctx.path, ofPerson(uid, progress.accountId), ctx.path);
      await ownFactors.keepCodes(progress.accountId, form['set'] ?? '');
      return 'next';
    },
  };
}
