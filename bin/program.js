// Which program is run: the bundle of its sources where there is one and they are still what it was made of, or else the
// sources themselves. Plain JavaScript that Node 20 can run.
import module from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ENTRIES, findBundle, ROOT } from './bundle/find.js';

export const NEEDED = 24;
/** This Node can run it. */
export const enough = Number(process.versions.node.split('.')[0]) >= NEEDED;

/** The source of one of the ENTRIES. */
export const sourceOf = (name) => join(ROOT, ENTRIES[name]);

/** @param name one of the ENTRIES */
export async function runProgram(name) {
  // Half the time of a start is making sources runnable: kept in our own folder, never in a shared one.
  module.enableCompileCache?.(join(ROOT, 'node_modules/.cache/node-compile'));
  const bundle = findBundle();
  if (!bundle) return import(pathToFileURL(sourceOf(name)).href);
  const { nameSources } = await import('./bundle/stacks.js');
  nameSources(bundle);
  return import(new URL(`${name}.js`, bundle).href);
}
