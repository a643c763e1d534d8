import { Secret, TOTP } from 'otpauth';
import { seconds } from '../lib/index.ts';
import type { CodeFactor } from './code-factor.ts';

/** What every authenticator app takes (RFC 6238 §1.2, and the `otpauth:` URIs that apps read). */
const SHAPE = { algorithm: 'SHA1', digits: 6, period: 30 } as const;
/** Clocks of phones are off, and codes are typed slowly: one step to either side (RFC 6238 §5.2). */
const WINDOW = 1;

/** 160 random bits, as HMAC-SHA-1 wants them (RFC 4226 §4), in base32. */
export const newTotpSecret = (): string => new Secret({ size: 20 }).base32;

/** The address that an authenticator app reads from a QR code. */
export const totpUri = (secret: string, issuer: string, account: string): string =>
  new TOTP({ ...SHAPE, issuer, label: account, secret: Secret.fromBase32(secret) }).toString();

/** The time step a code is for; undefined where it is for none of now and its neighbours. Compares in constant time. */
export function stepOf(secret: string, code: string, at: number): number | undefined {
  const delta = TOTP.validate({
    ...SHAPE,
    token: code,
    secret: Secret.fromBase32(secret),
    timestamp: at,
    window: WINDOW,
  });
  return delta === null ? undefined : Math.floor(at / seconds(SHAPE.period)) + delta;
}

/** Time-based one-time passwords of an authenticator app (RFC 6238). */
export const totp: CodeFactor = {
  kind: 'totp',
  amr: ['otp'],

  read(text) {
    const digits = text.replaceAll(/\s/g, '');
    return /^\d{6}$/.test(digits) ? digits : undefined;
  },

  async verify({ factors, now }, _person, own, code) {
    for (const factor of own) {
      if (factor.kind !== 'totp') continue;
      const step = stepOf(factors.totpSecret(factor), code, now());
      if (step !== undefined && (await factors.useStep(factor.id, step))) return true;
    }
    return false;
  },
};
