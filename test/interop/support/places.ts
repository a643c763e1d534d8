import { fileURLToPath } from 'node:url';

const at = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

export const ROOT = at('');
/** What is made for the examples: ignored by git, made anew when what it was made from changes. */
export const MADE = at('.interop/');
export const PYTHON = at('.interop/python/bin/python');
export const RUST = at('.interop/cargo/debug/rust-axum');
export const example = (name: string): string => at(`examples/${name}`);
/** Where a JavaScript example is installed, as on a machine of its own. */
export const installed = (name: string): string => at(`.interop/npm/${name}`);
