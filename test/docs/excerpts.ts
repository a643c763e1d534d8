import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** `<!-- from FILE: REGION -->` (or the whole of FILE) before a fenced block. */
const EXCERPT = /<!-- from (\S+?)(?:: (\w+))? -->\n```(\w*)\n([\s\S]*?)```/g;

/** The document with every marked block as its file has it. @throws Error that names what is not there */
export const filled = (markdown: string): string =>
  markdown.replaceAll(
    EXCERPT,
    (_, file: string, region: string | undefined, language: string) =>
      `<!-- from ${file}${region ? `: ${region}` : ''} -->\n\`\`\`${language}\n${excerpt(file, region)}\n\`\`\``,
  );

/** The languages of blocks that say nothing about where they are from; commands are tested by running them. */
export const unmarked = (markdown: string): string[] =>
  [...markdown.replaceAll(EXCERPT, '').matchAll(/^ *```(\w*)\n[\s\S]*?^ *```$/gm)]
    .map(([, language = '']) => language)
    .filter((language) => language !== 'sh');

function excerpt(file: string, region: string | undefined): string {
  const text = readFileSync(join(ROOT, file), 'utf8').trimEnd();
  if (region === undefined) return text;
  const lines = text.split('\n');
  const begin = lines.findIndex((line) => new RegExp(`^\\s*(#|//) #?region ${region}$`).test(line));
  const length = lines.slice(begin + 1).findIndex((line) => /^\s*(#|\/\/) #?endregion$/.test(line));
  if (begin < 0 || length < 0) throw new Error(`${file} has no region ${region}`);
  const inside = lines.slice(begin + 1, begin + 1 + length);
  const indent = Math.min(...inside.filter((line) => line.trim()).map((line) => /^ */.exec(line)?.[0].length ?? 0));
  return inside
    .map((line) => line.slice(indent))
    .join('\n')
    .trim();
}
