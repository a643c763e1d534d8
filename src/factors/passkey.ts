import { isIP } from 'node:net';
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import { z } from 'zod';
import type { Binding, Challenges, Factors, OwnFactor, Person } from '../domain/index.ts';
import { type Duration, minutes } from '../lib/index.ts';
import type { Change, Passkey } from '../store/index.ts';

/** Loaded when a passkey is first asked for: it is 9 MB that a server of machines never needs. */
const webauthn = () => import('@simplewebauthn/server');

/** EdDSA, ES256 and RS256: what authenticators have, in keys that fit into a form. */
const ALGORITHMS = [-8, -7, -257];

/** How long the browser lets a person look for their key. */
const TIMEOUT: Duration = minutes(5);

/** What every answer of a browser has; the rest SimpleWebAuthn checks. */
const answer = z.object({ id: z.string().max(1400), response: z.looseObject({ clientDataJSON: z.string() }) });
const clientData = z.object({ challenge: z.string().max(400) });

interface Options {
  readonly factors: Factors;
  readonly challenges: Challenges;
  /** Whose origin and whose host (the RP ID) passkeys are made for. */
  readonly issuer: string;
  readonly brand: string;
}

/** A passkey answered rightly; nothing is used up yet. */
export interface Answered {
  readonly factor: OwnFactor;
  /** In words of RFC 8176; `mfa` where the authenticator knew its owner, by a finger, a face or a PIN. */
  readonly amr: readonly string[];
  /** Uses up the challenge and keeps the counter; false where somebody did so before. */
  use(): Promise<boolean>;
}

export type Passkeys = ReturnType<typeof createPasskeys>;

const words = (synced: boolean, verified: boolean): string[] => [
  synced ? 'swk' : 'hwk',
  'user',
  ...(verified ? ['mfa'] : []),
];

/** WebAuthn Level 3, by SimpleWebAuthn: whatever a browser sends, the verdict is a passkey or none. */
export function createPasskeys({ factors, challenges, issuer, brand }: Options) {
  const rpID = new URL(issuer).hostname;
  const expected = { expectedOrigin: issuer, expectedRPID: rpID };
  const bytesOf = (challenge: string) => new Uint8Array(Buffer.from(challenge, 'base64url'));

  const asking = (boundTo: string, person?: Person): Binding => ({
    purpose: 'passkey',
    boundTo,
    accountId: person?.id,
  });
  const enrolling = (boundTo: string, person: Person): Binding => ({
    purpose: 'enrol-passkey',
    boundTo,
    accountId: person.id,
  });

  /** The answer and the challenge it is for, where that is one of ours and was given out for this. */
  function read(binding: Binding, text: string) {
    try {
      const whole = JSON.parse(text);
      const { id, response } = answer.parse(whole);
      const data = JSON.parse(Buffer.from(response.clientDataJSON, 'base64url').toString('utf8'));
      const { challenge } = clientData.parse(data);
      return challenges.open(binding, challenge) === undefined ? undefined : { whole, id, challenge };
    } catch {
      return undefined;
    }
  }

  async function verify(binding: Binding, text: string, { alone }: { alone: boolean }): Promise<Answered | undefined> {
    const given = read(binding, text);
    const factor = given && (await factors.passkey(given.id));
    if (!given || !factor?.passkey) return undefined;
    const owner = binding.accountId ?? fromHandle((given.whole as AuthenticationResponseJSON).response.userHandle);
    if (factor.accountId !== owner) return undefined;
    const { credential, publicKey, counter, synced } = factor.passkey;
    const verdict = await orNothing(async () =>
      (await webauthn()).verifyAuthenticationResponse({
        response: given.whole as AuthenticationResponseJSON,
        expectedChallenge: given.challenge,
        ...expected,
        credential: { id: credential, publicKey: new Uint8Array(Buffer.from(publicKey, 'base64url')), counter },
        requireUserVerification: alone,
      }),
    );
    if (!verdict?.verified) return undefined;
    const { newCounter, credentialBackedUp, userVerified } = verdict.authenticationInfo;
    const spent: Change = challenges.spend(binding, given.challenge);
    return {
      factor,
      amr: words(synced, userVerified),
      use: () => factors.usePasskey(factor.id, { counter: newCounter, backedUp: credentialBackedUp }, spent),
    };
  }

  return {
    /** Browsers make passkeys for names, never for bare addresses (WebAuthn §5.1.2, "effective domain"). */
    available: isIP(rpID.replace(/^\[|\]$/g, '')) === 0,

    /** Asks for any passkey the browser has for us: its owner is told by the answer. */
    askAnybody: async (boundTo: string): Promise<PublicKeyCredentialRequestOptionsJSON> =>
      (await webauthn()).generateAuthenticationOptions({
        rpID,
        challenge: bytesOf(challenges.issue(asking(boundTo))),
        timeout: TIMEOUT,
        // It stands for the password as well.
        userVerification: 'required',
      }),

    /** Asks for one of this person's. */
    ask: async (
      boundTo: string,
      person: Person,
      own: readonly OwnFactor[],
    ): Promise<PublicKeyCredentialRequestOptionsJSON> =>
      (await webauthn()).generateAuthenticationOptions({
        rpID,
        challenge: bytesOf(challenges.issue(asking(boundTo, person))),
        timeout: TIMEOUT,
        userVerification: 'preferred',
        allowCredentials: descriptors(own),
      }),

    /** Whose passkey answered, proven without a password: undefined for an unknown, foreign, wrong or old answer alike. */
    verifyAnybody: (boundTo: string, text: string) => verify(asking(boundTo), text, { alone: true }),

    /** One of this person's passkeys answered. */
    verify: (boundTo: string, text: string, person: Person) => verify(asking(boundTo, person), text, { alone: false }),

    /** What a browser makes a new passkey from. */
    offer: async (
      boundTo: string,
      person: Person,
      own: readonly OwnFactor[],
    ): Promise<PublicKeyCredentialCreationOptionsJSON> =>
      (await webauthn()).generateRegistrationOptions({
        rpName: brand,
        rpID,
        userName: person.email,
        userDisplayName: person.name ?? person.email,
        userID: new TextEncoder().encode(person.id),
        challenge: bytesOf(challenges.issue(enrolling(boundTo, person))),
        timeout: TIMEOUT,
        attestationType: 'none',
        excludeCredentials: descriptors(own),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
        supportedAlgorithmIDs: ALGORITHMS,
      }),

    /** The passkey a browser made, what it proves, and the change that uses its challenge up. */
    async made(
      boundTo: string,
      person: Person,
      text: string,
    ): Promise<{ passkey: Passkey; amr: readonly string[]; spent: Change } | undefined> {
      const binding = enrolling(boundTo, person);
      const given = read(binding, text);
      if (!given) return undefined;
      const verdict = await orNothing(async () =>
        (await webauthn()).verifyRegistrationResponse({
          response: given.whole as RegistrationResponseJSON,
          expectedChallenge: given.challenge,
          ...expected,
          requireUserVerification: false,
          supportedAlgorithmIDs: ALGORITHMS,
        }),
      );
      if (!verdict?.verified) return undefined;
      const { credential, credentialDeviceType, credentialBackedUp, aaguid, userVerified } = verdict.registrationInfo;
      const synced = credentialDeviceType === 'multiDevice';
      return {
        passkey: {
          credential: credential.id,
          publicKey: Buffer.from(credential.publicKey).toString('base64url'),
          counter: credential.counter,
          transports: (credential.transports ?? []).filter((each) => /^[a-z-]{1,20}$/.test(each)).slice(0, 8),
          synced,
          backedUp: credentialBackedUp,
          aaguid,
        },
        amr: words(synced, userVerified),
        spent: challenges.spend(binding, given.challenge),
      };
    },
  };
}

const descriptors = (own: readonly OwnFactor[]) =>
  own.flatMap(({ passkey }) => (passkey ? [{ id: passkey.credential, transports: [...passkey.transports] }] : []));

/** The account a passkey was made for, as it tells it itself (WebAuthn §5.1.3, `user.id`). */
const fromHandle = (handle: string | undefined): string | undefined =>
  typeof handle === 'string' ? Buffer.from(handle, 'base64url').toString('utf8') : undefined;

/** SimpleWebAuthn throws for whatever does not verify, and for bytes that are nothing at all. */
async function orNothing<R>(verification: () => Promise<R>): Promise<R | undefined> {
  try {
    return await verification();
  } catch {
    return undefined;
  }
}
