/** The table of docs/reliability.md: what the last full run of each part found, kept in the document itself. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Finding, Part } from './part.ts';
import { ALL, SET_UPS, type SetUp } from './set-ups.ts';

const DOCUMENT = new URL('../../docs/reliability.md', import.meta.url);
const BEGINNING = '<!-- npm run prove writes from here … -->';
const END = '<!-- … to here -->';
const NOT_RUN = '–';

/** By part and fact: what each set-up showed, in the order of {@link ALL}. */
export type Table = Map<string, Map<string, string[]>>;

export const published = (): Table => parse(between(readFileSync(DOCUMENT, 'utf8')).table);

/** Puts what a part found in one set-up in its place; what else the table says stays. */
export function publish(parts: readonly Part[], { name }: Part, setUp: SetUp, findings: readonly Finding[]): void {
  const { head, table: before, tail } = between(readFileSync(DOCUMENT, 'utf8'));
  const table = parse(before);
  const column = ALL.indexOf(setUp);
  const facts = table.get(name) ?? new Map<string, string[]>();
  for (const cells of facts.values()) cells[column] = NOT_RUN;
  for (const finding of findings) {
    const cells = facts.get(finding.fact) ?? ALL.map(() => NOT_RUN);
    cells[column] = finding.held ? finding.figure : `**does not hold**: ${finding.figure}`;
    facts.set(finding.fact, cells);
  }
  table.set(name, facts);
  writeFileSync(DOCUMENT, `${head}${BEGINNING}\n\n${render(parts, table)}\n\n${END}${tail}`);
}

/** One row a fact, one column a set-up. */
export function render(parts: readonly Part[], table: Table): string {
  const row = (...cells: readonly string[]): string => `|${cells.map((cell) => (cell ? ` ${cell} ` : ' ')).join('|')}|`;
  const lines = [row('', ...ALL.map((setUp) => SET_UPS[setUp])), row('---', ...ALL.map(() => '---'))];
  for (const { name, promise } of parts) {
    lines.push(row(`**${promise}** (\`${name}\`)`, ...ALL.map(() => '')));
    for (const [fact, cells] of table.get(name) ?? [])
      if (cells.some((cell) => cell !== NOT_RUN)) lines.push(row(fact, ...cells));
  }
  return lines.join('\n');
}

function parse(text: string): Table {
  const table: Table = new Map();
  let facts = new Map<string, string[]>();
  for (const line of text.split('\n').slice(2)) {
    const name = /^\| \*\*.*\*\* \(`([a-z-]+)`\) \|/.exec(line)?.[1];
    if (name) {
      facts = new Map();
      table.set(name, facts);
    } else {
      const [fact, ...cells] = line.slice(2, -2).split(' | ');
      facts.set(fact!, cells);
    }
  }
  return table;
}

function between(text: string): { head: string; table: string; tail: string } {
  const [head = '', rest = ''] = text.split(BEGINNING);
  const [table = '', tail = ''] = rest.split(END);
  return { head, table: table.trim(), tail };
}
