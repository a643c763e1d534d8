import { randomFillSync } from 'node:crypto';

/** Drawn together: asking for each number by itself costs ten times as much. */
const drawn = Buffer.alloc(2048);
let used = drawn.length;

/** So many random bytes, at most 2,048, as what `read` makes of them. They are given once, and stay nowhere. */
export function random<T>(bytes: number, read: (from: Buffer, start: number, end: number) => T): T {
  if (used + bytes > drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  const start = used;
  used += bytes;
  const value = read(drawn, start, used);
  drawn.fill(0, start, used);
  return value;
}
