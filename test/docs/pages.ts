import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './excerpts.ts';

const FOLDER = join(ROOT, 'docs/integrate');

/** The pages about integrating applications and APIs. */
export const pages = () =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.md'))
    .map((name) => {
      const path = join(FOLDER, name);
      return { name, path, text: readFileSync(path, 'utf8') };
    });
