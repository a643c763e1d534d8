import { encode } from 'uqr';

/** A QR code as one SVG path of unit squares, and how many of them its sides measure; a quiet zone of 4 around it (ISO/IEC 18004). */
export function qrPath(text: string): { readonly size: number; readonly path: string } {
  const { data, size } = encode(text, { ecc: 'M', border: 4 });
  const path = data
    .flatMap((row, y) =>
      row.flatMap((dark, x) => (dark && !row[x - 1] ? [`M${x} ${y}h${lengthOf(row, x)}v1H${x}z`] : [])),
    )
    .join('');
  return { size, path };
}

/** How many dark squares follow one another from there. */
function lengthOf(row: readonly boolean[], from: number): number {
  const end = row.indexOf(false, from);
  return (end < 0 ? row.length : end) - from;
}
