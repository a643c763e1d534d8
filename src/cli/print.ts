/** One thing an operation told of, by the names of its JSON. */
export type Item = Readonly<Record<string, unknown>>;

/** Hides what a terminal would obey or nobody would see: control characters, and marks that turn text round. */
export const visible = (text: string): string =>
  text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (mark) => `\\u{${mark.codePointAt(0)!.toString(16)}}`);

/** One JSON document. */
export const document = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Names and values of one thing, aligned; what is nothing is left out, and what has parts is told below its name. */
export function details(item: Item, indent = ''): string {
  const shown = Object.entries(item).flatMap(([name, value]): [name: string, value: unknown][] => {
    const empty = isItem(value) ? Object.keys(value).length === 0 : inWords(value) === '';
    return empty ? [] : [[visible(name), value]];
  });
  const width = Math.max(0, ...shown.filter(([, value]) => !isItem(value)).map(([name]) => name.length));
  return shown
    .map(([name, value]) =>
      isItem(value)
        ? `${indent}${name}\n${details(value, `${indent}  `)}`
        : `${indent}${name.padEnd(width)}  ${inWords(value)}\n`,
    )
    .join('');
}

const isItem = (value: unknown): value is Item => typeof value === 'object' && value !== null && !Array.isArray(value);

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
