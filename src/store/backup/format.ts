import { createHmac, type Hmac } from 'node:crypto';
import { hmac, type SealingKey } from '../../lib/index.ts';
import type { TableName } from '../records.ts';

/**
 * What stands in a backup. Every line is one JSON array that begins with the CRC-32 of the rest, as in the file store:
 * - `["crc","postern-backup",1,{about}]`
 * - `["crc",table,id,expiresAt,record]` for each row; `expiresAt` is null where there is none
 * - `["crc","end",{manifest},"hmac"]`: the HMAC-SHA-256 of every byte before this line and of the manifest, under a key
 *   that follows from the master key. A file without its end was cut short; one with another HMAC was changed.
 */
export const KIND = 'postern-backup';
export const END = 'end';

/** The form this program writes, and the newest it reads. */
export const FORMAT = 1;

/** What the first line says. */
export interface About {
  /** The moment whose state it holds, in milliseconds since the epoch. */
  readonly takenAt: number;
  readonly issuer: string;
  readonly engine: 'file' | 'postgres';
  /** Names the master key without giving anything away of it. */
  readonly key: string;
}

/** What the last line says. */
export interface Manifest {
  readonly rows: Readonly<Partial<Record<TableName, number>>>;
  readonly total: number;
}

export const nameOf = (key: SealingKey): string => hmac(key, 'the name of the master key').slice(0, 16);

export const newMac = (key: SealingKey): Hmac => createHmac('sha256', key);
