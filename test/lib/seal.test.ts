import test from 'ava';
import fc from 'fast-check';
import { deriveKey, newSecret, seal, unseal } from '../../src/lib/index.ts';

const key = deriveKey(newSecret(), 'test');

test('no two nonces are alike, nor a piece of a secret that is drawn between them', (t) => {
  const pieces = new Set<string>();
  for (let n = 0; n < 5_000; n += 1) {
    pieces.add(Buffer.from(seal(key, 'label', 'text'), 'base64url').toString('hex', 0, 12));
    pieces.add(Buffer.from(newSecret(), 'base64url').toString('hex', 0, 12));
  }
  t.is(pieces.size, 10_000);
});

test('what was sealed is opened by its key and label, and by no other, nor with one bit changed', (t) => {
  fc.assert(
    fc.property(fc.string(), fc.string({ unit: 'binary' }), fc.nat(), (label, plain, bit) => {
      const sealed = seal(key, label, plain);
      t.is(unseal(key, label, sealed), Buffer.from(plain).toString());
      const changed = Buffer.from(sealed, 'base64url');
      changed[(bit >> 3) % changed.length]! ^= 1 << (bit & 7);
      t.throws(() => unseal(key, label, changed.toString('base64url')));
      t.throws(() => unseal(key, `${label}x`, sealed));
      t.throws(() => unseal(deriveKey('another', 'test'), label, sealed));
    }),
  );
});
