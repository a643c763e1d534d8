import test from 'ava';
import { newId, newSecret } from '../../src/lib/index.ts';

test('no two secrets or ids share a piece, however many are drawn together', (t) => {
  const pieces = new Set<string>();
  let all = 0;
  for (let n = 0; n < 5_000; n += 1)
    for (const text of [newSecret(), newId('usr').slice(4), newSecret(), newSecret()]) {
      const bytes = Buffer.from(text, 'base64url');
      t.is(bytes.toString('base64url'), text);
      t.true(bytes.length === 32 || bytes.length === 16);
      for (let at = 0; at < bytes.length; at += 8) {
        pieces.add(bytes.toString('hex', at, at + 8));
        all += 1;
      }
    }
  // 64 bits each: two alike among 70,000 come once in ten thousand million runs.
  t.is(pieces.size, all);
});
