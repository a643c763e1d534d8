import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { DEVICE_GRANT } from '../domain/index.ts';
import { type Clock, inSeconds, numericDate, seconds, sha256 } from '../lib/index.ts';
import type { Artifact, Put, Row } from '../store/index.ts';
import { goodUntil, type OpenArtifact } from './artifacts.ts';
import { engineGrant } from './internals.ts';
import { currentUnit } from './unit.ts';

interface Options {
  readonly provider: Provider;
  readonly open: OpenArtifact;
  readonly now: Clock;
}

/** Where the engine returns people who signed in for a device. */
export const DEVICE_CALLBACK = '/device/signed-in';

/** How often a device may ask (RFC 8628 §3.2), and how much sooner the network may bring it. */
const INTERVAL = seconds(5);
const EARLY = seconds(1);

/** Whether a code still waits for somebody to say yes or no. */
export function isWaiting(row: Row<Artifact>, { accountId, error, exp = 0 }: ReturnType<OpenArtifact>, now: Clock) {
  const undecided = !row.record.consumedAt && accountId === undefined && error === undefined;
  return undecided && exp > numericDate() && goodUntil('DeviceCode', row) > now();
}

/** Whether the answer of an authorization request goes to a device. */
export const isForDevice = ({ issuer }: Provider, redirectUri: unknown): boolean =>
  redirectUri === issuer + DEVICE_CALLBACK;

/**
 * A device asks what became of its code (RFC 8628 §3.4). The engine answers; we hold up one that asks too often, which the
 * engine never does, and let applications on devices be signed in to at {@link DEVICE_CALLBACK}, whatever other redirect
 * URIs they have.
 */
export function installDeviceGrant({ provider, open, now }: Options): void {
  const engine = engineGrant(provider, 'device_code');

  async function poll(ctx: KoaContextWithOIDC): Promise<void> {
    const code = ctx.oidc.params?.['device_code'];
    const row = typeof code === 'string' ? await currentUnit().get('device_codes', sha256(code)) : undefined;
    const payload = row && open('device_codes', row);
    if (row && payload?.clientId === ctx.oidc.client?.clientId && isWaiting(row, payload!, now)) {
      const { polledAt } = row.record;
      notePoll(row);
      if (polledAt !== undefined && now() - polledAt < INTERVAL - EARLY)
        throw new errors.SlowDown(`a device asks every ${inSeconds(INTERVAL)} seconds at most`);
    }
    await engine.handle(ctx);
  }

  function notePoll(row: Row<Artifact>): void {
    const polled = ({ id, record, expiresAt }: Row<Artifact>): Put<'device_codes'> => ({
      put: 'device_codes',
      id,
      record: { ...record, polledAt: now() },
      ...(expiresAt !== undefined && { expiresAt }),
    });
    const { id, record, expiresAt } = polled(row);
    currentUnit().put('device_codes', id, record, {
      ...(expiresAt !== undefined && { expiresAt }),
      when: 'update',
      // It is told to wait, which is an error; that it was is to be remembered.
      urgent: true,
      onConflict: (fresh) => {
        if (!fresh) throw new errors.ExpiredToken('the device code has expired');
        return { ...polled(fresh), expect: fresh.version };
      },
    });
  }

  provider.registerGrantType(DEVICE_GRANT, poll, [...engine.parameters, 'resource'], ['resource']);
  provider.on('device_authorization.success', (_ctx: unknown, answer: object) => {
    Object.assign(answer, { interval: inSeconds(INTERVAL) });
  });

  type Client = InstanceType<Provider['Client']>;
  const { prototype } = provider.Client as unknown as { prototype: Client };
  const { redirectUriAllowed, responseTypeAllowed } = prototype;
  prototype.redirectUriAllowed = function (uri) {
    return redirectUriAllowed.call(this, uri) || (isForDevice(provider, uri) && this.grantTypeAllowed(DEVICE_GRANT));
  };
  prototype.responseTypeAllowed = function (type) {
    return responseTypeAllowed.call(this, type) || (type === 'code' && this.grantTypeAllowed(DEVICE_GRANT));
  };
}
