import type { SealingKey } from '../../lib/index.ts';
import { encodeLine } from '../file/lines.ts';
import type { Batches } from '../whole.ts';
import { type About, END, FORMAT, KIND, type Manifest, nameOf, newMac } from './format.ts';

/** The bytes of a backup, a piece for each batch of rows. */
export async function* writeBackup(
  rows: Batches,
  { key, ...about }: Omit<About, 'key'> & { readonly key: SealingKey },
): AsyncGenerator<Buffer, Manifest> {
  const mac = newMac(key);
  const piece = (text: string): Buffer => {
    const bytes = Buffer.from(text);
    mac.update(bytes);
    return bytes;
  };
  const counts: Record<string, number> = {};
  let total = 0;
  yield piece(encodeLine(`"${KIND}",${FORMAT},${JSON.stringify({ ...about, key: nameOf(key) } satisfies About)}`));
  for await (const batch of rows) {
    let text = '';
    for (const { table, id, expiresAt, json } of batch) {
      counts[table] = (counts[table] ?? 0) + 1;
      text += encodeLine(`"${table}",${JSON.stringify(id)},${expiresAt ?? null},${json}`);
    }
    total += batch.length;
    if (batch.length > 0) yield piece(text);
  }
  const manifest: Manifest = { rows: counts, total };
  const told = JSON.stringify(manifest);
  yield Buffer.from(encodeLine(`"${END}",${told},"${mac.update(told).digest('hex')}"`));
  return manifest;
}
