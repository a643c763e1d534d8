import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { isoCBOR } from '@simplewebauthn/server/helpers';
import type { Answer } from './user-agent.ts';

interface Ceremony {
  readonly challenge: string;
  readonly rp?: { readonly id?: string | undefined };
  readonly rpId?: string | undefined;
  readonly user?: { readonly id: string };
}

/** Whatever a test wants to lie about. */
interface Lies {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly type?: string;
  readonly verified?: boolean;
  readonly present?: boolean;
  readonly userHandle?: string;
  readonly counter?: number;
  readonly signWith?: KeyObject;
}

/** A WebAuthn authenticator of one key (ES256), in software, for what no browser would send. */
export class Authenticator {
  readonly id = randomBytes(32).toString('base64url');
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #origin: string;
  readonly #synced: boolean;
  counter = 0;
  #userHandle = '';

  constructor(origin: string, { synced = true }: { synced?: boolean } = {}) {
    this.#origin = origin;
    this.#synced = synced;
  }

  /** What a page asks a passkey with. */
  static asked({ html }: Answer): Ceremony {
    const options = /data-passkey="\w+" data-options="([^"]*)"/.exec(html)?.[1];
    if (!options) throw new Error('the page asks for no passkey');
    return JSON.parse(options.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&'));
  }

  /** A new passkey for what the page offers, as the form's field. */
  make(ceremony: Ceremony, lies: Lies = {}): string {
    this.#userHandle = ceremony.user?.id ?? '';
    const authData = this.#data({ rpId: ceremony.rp?.id ?? '', ...lies }, true);
    const attestation = isoCBOR.encode(
      new Map<string, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', Uint8Array.from(authData)],
      ]) as never,
    );
    return this.#answer({
      clientDataJSON: this.#client('webauthn.create', ceremony, lies).toString('base64url'),
      attestationObject: Buffer.from(attestation).toString('base64url'),
      transports: ['internal'],
    });
  }

  /** Its answer to what the page asks, as the form's field. */
  answer(ceremony: Ceremony, lies: Lies = {}): string {
    const client = this.#client('webauthn.get', ceremony, lies);
    const authData = this.#data({ rpId: ceremony.rpId ?? '', ...lies });
    const signed = Buffer.concat([authData, createHash('sha256').update(client).digest()]);
    return this.#answer({
      clientDataJSON: client.toString('base64url'),
      authenticatorData: authData.toString('base64url'),
      signature: createSign('sha256')
        .update(signed)
        .sign(lies.signWith ?? this.#keys.privateKey, 'base64url'),
      userHandle: lies.userHandle ?? this.#userHandle,
    });
  }

  #answer(response: object): string {
    return JSON.stringify({ id: this.id, rawId: this.id, type: 'public-key', clientExtensionResults: {}, response });
  }

  #client(type: string, { challenge }: Ceremony, lies: Lies): Buffer {
    return Buffer.from(
      JSON.stringify({ type, challenge, origin: this.#origin, crossOrigin: false, ...lies, signWith: undefined }),
    );
  }

  #data({ rpId = '', verified = true, present = true, counter = this.counter }: Lies, attested = false): Buffer {
    const flags = (present ? 0x01 : 0) | (verified ? 0x04 : 0) | (this.#synced ? 0x18 : 0) | (attested ? 0x40 : 0);
    const head = Buffer.alloc(5);
    head.writeUInt8(flags, 0);
    head.writeUInt32BE(counter, 1);
    const parts: Uint8Array[] = [createHash('sha256').update(rpId).digest(), head];
    if (attested) {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(Buffer.from(this.id, 'base64url').length);
      parts.push(Buffer.alloc(16), length, Buffer.from(this.id, 'base64url'), this.#cose());
    }
    return Buffer.concat(parts);
  }

  #cose(): Buffer {
    const { x = '', y = '' } = this.#keys.publicKey.export({ format: 'jwk' });
    const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'base64url'));
    const key = new Map<number, number | Uint8Array>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, bytes(x)],
      [-3, bytes(y)],
    ]);
    return Buffer.from(isoCBOR.encode(key as never));
  }
}
