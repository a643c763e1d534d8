import type { CodeFactor } from './code-factor.ts';

/**
 * Codes that are mailed, where the operator lets them stand in for a factor. They prove no more than that a mailbox can be
 * read, which NIST SP 800-63B-4 §3.1.3.1 does not take for a factor: `mca` (RFC 8176 §2) tells them from an app's.
 */
export const email: CodeFactor = {
  kind: 'email',
  amr: ['otp', 'mca'],

  read(text) {
    const digits = text.replaceAll(/\s/g, '');
    return /^\d{8}$/.test(digits) ? digits : undefined;
  },

  verify: ({ mailedCodes, interaction }, person, _own, code) => mailedCodes.redeem({ person, interaction }, code),
};
