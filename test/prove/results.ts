/** What the last run of each part found, kept so that a run can go on with the next one; and the table of it all. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Finding, Part } from './part.ts';
import { ALL, SET_UPS, type SetUp } from './set-ups.ts';

const FOLDER = new URL('../../node_modules/.cache/postern-prove/', import.meta.url);
const DOCUMENT = new URL('../../docs/reliability.md', import.meta.url);

const fileOf = ({ name }: Part, setUp: SetUp): URL => new URL(`${name}.${setUp}.json`, FOLDER);

export function keep(part: Part, setUp: SetUp, findings: readonly Finding[]): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(fileOf(part, setUp), JSON.stringify(findings, null, 2));
}

export function kept(part: Part, setUp: SetUp): readonly Finding[] | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(part, setUp), 'utf8')) as Finding[];
  } catch {
    return undefined;
  }
}

/** One row a fact, one column a set-up. */
export function table(parts: readonly Part[]): string {
  const lines = [`| | ${ALL.map((setUp) => SET_UPS[setUp]).join(' | ')} |`, `| --- |${' --- |'.repeat(ALL.length)}`];
  for (const part of parts) {
    const found = ALL.map((setUp) => kept(part, setUp));
    lines.push(`| **${part.promise}** (\`${part.name}\`) |${' |'.repeat(ALL.length)}`);
    const facts = [...new Set(found.flatMap((findings) => findings?.map(({ fact }) => fact) ?? []))];
    for (const fact of facts) {
      const cells = found.map((findings) => cell(findings?.find((finding) => finding.fact === fact)));
      lines.push(`| ${fact} | ${cells.join(' | ')} |`);
    }
  }
  return lines.join('\n');
}

const cell = (finding: Finding | undefined): string =>
  finding === undefined ? '–' : finding.held ? finding.figure : `**does not hold**: ${finding.figure}`;

const BEGINNING = '<!-- npm run prove writes from here … -->';
const END = '<!-- … to here -->';

/** Puts the table in its place in the document. */
export function publish(text: string): void {
  const before = readFileSync(DOCUMENT, 'utf8');
  const [head = '', rest = ''] = before.split(BEGINNING);
  const tail = rest.split(END)[1] ?? '';
  writeFileSync(DOCUMENT, `${head}${BEGINNING}\n\n${text}\n\n${END}${tail}`);
}
