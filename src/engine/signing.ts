import type { KeyObject } from 'node:crypto';
import { ExternalSigningKey, type Provider } from 'oidc-provider';
import type { Keys, PublishedKey } from '../domain/index.ts';
import { swapKeys } from './internals.ts';

/** One of our keys in the engine's shape: it sees the public part and asks us to sign. */
class EngineKey extends ExternalSigningKey {
  readonly #key: PublishedKey;

  constructor(key: PublishedKey) {
    super();
    this.#key = key;
  }

  override get kid(): string {
    return this.#key.kid;
  }

  override get alg(): string {
    return this.#key.alg;
  }

  override keyObject(): KeyObject {
    return this.#key.publicKey;
  }

  override async sign(data: Uint8Array): Promise<Uint8Array> {
    return this.#key.sign(data);
  }
}

/** Our keys in the engine's order: of equal ones the first signs, so those that sign come first. */
export const engineKeys = (keys: readonly PublishedKey[]): EngineKey[] => keys.map((key) => new EngineKey(key));

/** Hands the engine the new keys whenever they change. */
export function followKeys(provider: Provider, keys: Keys): void {
  keys.onChange((published) => swapKeys(provider, engineKeys(published)));
}
