import type { Provider } from 'oidc-provider';
import { DEVICE_GRANT, type Domain, sidOf, userCodeIn } from '../domain/index.ts';
import {
  type Clock,
  deriveKey,
  hmac,
  inSeconds,
  minutes,
  newSecret,
  type SealingKey,
  sameText,
  sha256,
} from '../lib/index.ts';
import { StoreConflict } from '../store/index.ts';
import { type OpenArtifact, type SealArtifact, userCodeDigest } from './artifacts.ts';
import { DEVICE_CALLBACK, isForDevice, isWaiting } from './device-grant.ts';
import { currentUnit } from './unit.ts';

type Payload = ReturnType<OpenArtifact>;

/** What came of a code that was typed. `failed`: the sign-in could not be asked for as the device wants it. */
export type DeviceOutcome = 'allowed' | 'denied' | 'failed' | 'over';

export type Devices = ReturnType<typeof createDevices>;

interface Options {
  readonly provider: Provider;
  readonly domain: Domain;
  readonly key: SealingKey;
  readonly open: OpenArtifact;
  readonly seal: SealArtifact;
  readonly now: Clock;
}

/** What is allowed at the last moment is there when the device asks next. */
const ASKED_WITHIN = minutes(1);

/** What a device may ask for, as any application. */
const ASKED = ['scope', 'resource', 'acr_values', 'max_age', 'login_hint', 'id_token_hint', 'nonce', 'ui_locales'];

/** What a code says of a sign-in: a browser's and a device's say the same. */
const SIGN_IN = [
  ...['accountId', 'acr', 'amr', 'authTime', 'claims', 'nonce', 'resource', 'scope'],
  ...['sessionUid', 'expiresWithSession'],
];

/**
 * What becomes of the code that somebody types for a device (RFC 8628 §3.3). The engine issues it and answers the device
 * (device-grant.ts); the person signs in and allows by an authorization request like any other, whose answer comes back here
 * and never leaves the server. So every step of signing in counts for devices too, and there is no second way through.
 */
export function createDevices({ provider, domain, key, open, seal, now }: Options) {
  const secret = deriveKey(key, 'device-requests');

  /** Names the row, in the one browser where its code was typed: nobody can be sent to allow what somebody else typed. */
  const stateOf = (id: string, browser: string): string => `${id}.${hmac(secret, `state ${id} ${browser}`)}`;

  /** Of a verifier that nobody is told: the request's own code is redeemed here or nowhere. */
  const challengeOf = (state: string): string => sha256(hmac(secret, `verifier ${state}`));

  async function waiting(id: string) {
    const row = await currentUnit().get('device_codes', id);
    const payload = row && open('device_codes', row);
    return payload && { payload, isWaiting: isWaiting(row, payload, now) };
  }

  function decide({ jti = '', exp = 0, ...payload }: Payload, decision: object): void {
    const { put, id, record, expiresAt } = seal('DeviceCode', jti, {
      ...payload,
      jti,
      exp: Math.max(exp, inSeconds(Date.now() + ASKED_WITHIN)),
      ...decision,
    });
    currentUnit().put('device_codes', id, record, {
      expiresAt,
      when: 'update',
      onConflict: (fresh) => {
        // The device has only asked meanwhile; or else another tab was faster, and this one asks again what came of it.
        if (!fresh || !isWaiting(fresh, open(put, fresh), now)) throw new StoreConflict(put, id);
        return { put: 'device_codes', id, record, expiresAt, expect: fresh.version };
      },
    });
  }

  /** Uses up the code with which the authorization request was answered; undefined where it is none of this request. */
  async function signInOf(code: string, state: string, clientId: string | undefined) {
    const unit = currentUnit();
    const row = await unit.get('authorization_codes', sha256(code));
    const payload = row && open('authorization_codes', row);
    if (!row || !payload || row.record.consumedAt || payload.clientId !== clientId) return undefined;
    if (!isForDevice(provider, payload['redirectUri']) || payload['codeChallenge'] !== challengeOf(state))
      return undefined;
    const { id, record, expiresAt } = row;
    const used = { ...record, consumedAt: now() };
    unit.put('authorization_codes', id, used, { ...(expiresAt && { expiresAt }), when: 'update' });
    const grantId = await grantLike(payload.grantId ?? '');
    if (grantId === undefined) return undefined;
    const said = SIGN_IN.flatMap((name) => (payload[name] === undefined ? [] : [[name, payload[name]]]));
    return { ...Object.fromEntries(said), grantId, ...(payload['sid'] !== undefined && { sid: sidOf(grantId) }) };
  }

  /**
   * A grant of the device's own, of what the browser's holds: one telephone signs in to several devices, and what ends one of
   * them (its application signs out, a refresh token comes twice) ends no other, nor what the browser has.
   */
  async function grantLike(grantId: string): Promise<string | undefined> {
    const unit = currentUnit();
    const row = await unit.get('grants', sha256(grantId));
    if (!row) return undefined;
    const jti = newSecret();
    const { put, id, record, expiresAt } = seal('Grant', jti, { ...open('grants', row), jti });
    unit.put(put, id, record, { expiresAt });
    return jti;
  }

  return {
    /**
     * Somebody types the code that a device shows.
     * @param browser what the browser is known by until it comes back
     * @returns where to send it to sign in and allow; undefined where no device waits with this code
     */
    async begin(typed: string, browser: string): Promise<string | undefined> {
      const letters = userCodeIn(typed);
      const [row] = letters ? await currentUnit().find('device_codes', 'userCode', userCodeDigest(key, letters)) : [];
      const payload = row && open('device_codes', row);
      const client = payload?.clientId ? await domain.clients.get(payload.clientId) : undefined;
      if (!row || !payload || !isWaiting(row, payload, now)) return undefined;
      // Its device will be given nothing any more.
      if (!client?.grantTypes.includes(DEVICE_GRANT)) return undefined;
      const state = stateOf(row.id, browser);
      const query = new URLSearchParams({
        client_id: client.id,
        response_type: 'code',
        redirect_uri: provider.issuer + DEVICE_CALLBACK,
        state,
        code_challenge: challengeOf(state),
        code_challenge_method: 'S256',
        // Whoever types a code that somebody sent them is told who asks, each time (RFC 8628 §5.4).
        prompt: 'consent',
      });
      const params = payload['params'] as Readonly<Record<string, string | readonly string[] | undefined>>;
      for (const name of ASKED) for (const value of [params[name] ?? []].flat()) query.append(name, value);
      return `/authorize?${query}`;
    },

    /** Takes the answer of that authorization request. @param browser as it is known */
    async settle(answer: URLSearchParams, browser: string | undefined): Promise<DeviceOutcome> {
      const state = answer.get('state') ?? '';
      const [id = ''] = state.split('.');
      if (browser === undefined || !sameText(state, stateOf(id, browser))) return 'over';
      const found = await waiting(id);
      if (!found?.isWaiting) return outcomeOf(found?.payload);
      const { payload } = found;
      const error = answer.get('error');
      if (error !== null) {
        const refused = { error, errorDescription: answer.get('error_description') ?? undefined };
        decide(payload, refused);
        return outcomeOf({ ...payload, ...refused });
      }
      const signIn = await signInOf(answer.get('code') ?? '', state, payload.clientId);
      if (!signIn) return 'over';
      decide(payload, signIn);
      const { accountId, clientId = '' } = { ...payload, ...signIn };
      const event = domain.audit.record('device.allowed', { accountId: String(accountId), clientId });
      currentUnit().put('audit', event.id, event.record, { expiresAt: event.expiresAt });
      return 'allowed';
    },
  };
}

function outcomeOf({ accountId, error }: Payload = {}): DeviceOutcome {
  if (accountId !== undefined) return 'allowed';
  if (error === undefined) return 'over';
  return error === 'access_denied' ? 'denied' : 'failed';
}
