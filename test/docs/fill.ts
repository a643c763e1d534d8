/** `npm run docs`: writes the examples' code into the pages that show it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { filled } from './excerpts.ts';
import { pages } from './pages.ts';

for (const { path } of pages()) {
  const before = readFileSync(path, 'utf8');
  const after = filled(before);
  if (after === before) continue;
  writeFileSync(path, after);
  console.log(path);
}
