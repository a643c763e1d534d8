/** What the machine can do at most, asked of one core: signatures, hashes, writes that reach the disk; each per second. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { closeSync, fdatasyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { hashSync, verifySync } from '@node-rs/argon2';
import { answer } from './answer.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
/** As long as what an access token's signature covers. */
const CLAIMS = Buffer.alloc(450, 'x');
const COST = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const HASH = hashSync('correct horse battery staple', COST);
/** A small commit. */
const LINE = Buffer.alloc(600, 'x');

function rate(seconds: number, work: () => void): number {
  const begun = performance.now();
  const end = begun + seconds * 1000;
  let count = 0;
  do {
    work();
    count += 1;
  } while (performance.now() < end);
  return (count / (performance.now() - begun)) * 1000;
}

answer({
  rsa: ({ seconds }: { seconds: number }) => rate(seconds, () => sign('sha256', CLAIMS, privateKey)),
  argon2: ({ seconds }: { seconds: number }) => rate(seconds, () => verifySync(HASH, 'correct horse battery staple')),
  fdatasync({ seconds, folder }: { seconds: number; folder: string }) {
    const path = `${folder}/fdatasync`;
    const file = openSync(path, 'w');
    try {
      return rate(seconds, () => {
        writeSync(file, LINE);
        fdatasyncSync(file);
      });
    } finally {
      closeSync(file);
      unlinkSync(path);
    }
  },
});
