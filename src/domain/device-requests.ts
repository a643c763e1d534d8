import { type Clock, minutes } from '../lib/index.ts';
import type { Store } from '../store/index.ts';
import { bucketOf, createCounters, type Taken } from './counters.ts';
import { networkOf } from './networks.ts';

/** The grant of devices on which nobody signs in (RFC 8628 §3.4). */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** 20 letters that make no words and are not taken for one another (RFC 8628 §6.1): 34 bits in eight. */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';

/** As it is shown; a star stands for a letter. */
export const USER_CODE_MASK = '****-****';

const LENGTH = USER_CODE_MASK.replaceAll('-', '').length;

/** The letters of what somebody typed, however they are written; undefined where it cannot be a code. */
export function userCodeIn(typed: string): string | undefined {
  const letters = typed.toUpperCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
  return letters.length === LENGTH && [...letters].every((letter) => LETTERS.includes(letter)) ? letters : undefined;
}

/** So many codes may be tried from one network: where a thousand wait, it meets one of them in 256,000 windows (RFC 8628 §5.1). */
const TRIES = { limit: 100, window: minutes(15) } as const;

export type DeviceRequests = ReturnType<typeof createDeviceRequests>;

/** What limits the guessing of codes that people type for a device. */
export function createDeviceRequests({ store, now }: { readonly store: Store; readonly now: Clock }) {
  const counters = createCounters({ store, now });
  return {
    /**
     * Counts one that is tried; of one that is right it is given back, since people are not held up by how many they are.
     * @param address the IP address it comes from, as the edge believes it
     */
    tried: (address: string): Promise<Taken> =>
      counters.take([bucketOf('user codes from a network', networkOf(address), TRIES.limit, TRIES.window)]),
  };
}
