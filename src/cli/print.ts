type Item = Readonly<Record<string, unknown>>;

/** Hides what a terminal would obey or nobody would see: control characters, and marks that turn text round. */
export const visible = (text: string): string =>
  text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (mark) => `\\u{${mark.codePointAt(0)!.toString(16)}}`);

/** One JSON document. */
export const document = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Names and values of one thing, aligned; what is nothing is left out. */
export function details(item: Item): string {
  const shown = Object.entries(item).flatMap(([name, value]): [string, string][] => {
    const text = inWords(value);
    return text === '' ? [] : [[visible(name), text]];
  });
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}

/** One line for each, under a line of names. */
export function table(items: readonly Item[], columns: readonly string[]): string {
  if (items.length === 0) return 'none\n';
  const rows = [columns, ...items.map((item) => columns.map((column) => inWords(item[column]) || '-'))];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((text, i) => text.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function inWords(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map(inWords).join(' ');
  return visible(typeof value === 'object' ? JSON.stringify(value) : String(value));
}
