import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Look } from './compose.ts';

/** A picture that travels with the mail, so that nothing is fetched when it is read. */
export interface Picture {
  readonly cid: string;
  readonly filename: string;
  readonly type: string;
  readonly body: Buffer;
}

/** What mail programs show; SVG and WebP many do not. */
const SHOWN: Readonly<Record<string, string>> = { 'image/png': '.png', 'image/jpeg': '.jpg' };

/** The operator's logo where mail programs can show it, our own mark where there is none; else nothing. */
export function pictureOf({ logo, colours }: Look): Picture | undefined {
  if (!logo)
    return { cid: CID, filename: 'logo.png', type: 'image/png', body: mark(colours.surface, colours.onSurface) };
  const extension = SHOWN[logo.type];
  return extension ? { cid: CID, filename: `logo${extension}`, type: logo.type, body: logo.body } : undefined;
}

const CID = 'logo@postern';

const MARK = new URL('../../views/mail/mark.png', import.meta.url);

/** Our mark in the operator's colours. The file's palette runs from one colour to the other as from black to white. */
function mark(surface: string, onSurface: string): Buffer {
  const png = readFileSync(MARK);
  const [from, to] = [channels(surface), channels(onSurface)];
  const palette = png.indexOf('PLTE');
  const length = png.readUInt32BE(palette - 4);
  for (let at = palette + 4; at < palette + 4 + length; at += 3) {
    const share = png[at]! / 255;
    for (const [i, channel] of from.entries()) png[at + i] = Math.round(channel + (to[i]! - channel) * share);
  }
  png.writeUInt32BE(crc32(png.subarray(palette, palette + 4 + length)), palette + 4 + length);
  return png;
}

const channels = (hex: string): number[] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
