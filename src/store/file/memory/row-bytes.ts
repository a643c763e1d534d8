/** A row as bytes that lie somewhere: good for as long as they stay there. */
export interface RowBytes {
  readonly bytes: Buffer;
  /** Where its id begins, and ends. */
  readonly id: number;
  readonly idEnd: number;
  /** Where its record begins as JSON, and ends. */
  readonly json: number;
  readonly jsonEnd: number;
  readonly version: number;
  readonly expiresAt: number | undefined;
}

/** A row without its record. */
export interface RowHead {
  readonly id: string;
  readonly version: number;
  readonly expiresAt?: number | undefined;
}

/** @param json its record */
export function inBytes({ id, version, expiresAt }: RowHead, json: string): RowBytes {
  const bytes = Buffer.from(id + json);
  const idEnd = Buffer.byteLength(id);
  return { bytes, id: 0, idEnd, json: idEnd, jsonEnd: bytes.length, version, expiresAt };
}
