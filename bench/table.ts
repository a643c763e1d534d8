import type { Figure } from './measure.ts';

/** One line of the table. */
export interface Line {
  readonly work: string;
  /** The physical limit, in words. */
  readonly limit: string;
  /** The same of bare oidc-provider, where it can do it. */
  readonly bare?: string;
  readonly postern: string;
  readonly goal: string;
  readonly reached: boolean;
}

export const count = (n: number): string => Math.round(n).toLocaleString('en');
export const perSecond = ({ median }: Figure): string => `${count(median)}/s`;
const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** `3,412/s = 84 % (83–85)` */
export const share = ({ rate, share: { median, low, high } }: { rate: Figure; share: Figure }): string =>
  `${perSecond(rate)} = ${percent(median)} (${Math.round(low * 100)}–${Math.round(high * 100)})`;

/** `3.4 ms (3.1–4.0)` */
export const spread = ({ median, low, high }: Figure, unit: string, digits = 1): string =>
  `${median.toFixed(digits)} ${unit} (${low.toFixed(digits)}–${high.toFixed(digits)})`;

const HEADS = ['work', 'limit', 'bare oidc-provider 9.13', 'Postern', 'goal', ''];

/** As Markdown, aligned to be read as it is. */
export function table(lines: readonly Line[]): string {
  const cells = lines.map(({ work, limit, bare = '–', postern, goal, reached }) => [
    work,
    limit,
    bare,
    postern,
    goal,
    reached ? 'reached' : 'short',
  ]);
  const widths = HEADS.map((head, i) => Math.max(head.length, ...cells.map((row) => row[i]!.length)));
  const row = (texts: readonly string[]) => `| ${texts.map((text, i) => text.padEnd(widths[i]!)).join(' | ')} |`;
  return [row(HEADS), row(widths.map((width) => '-'.repeat(width))), ...cells.map(row)].join('\n');
}
