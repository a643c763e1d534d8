import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const asked = process.env['XDG_CACHE_HOME'] ?? '';
/** What is made for the examples: outside of the clone, made anew when what it was made from changes. */
export const MADE = join(isAbsolute(asked) ? asked : join(homedir(), '.cache'), 'postern-interop');
export const PYTHON = join(MADE, 'python/bin/python');

export const example = (name: string): string => join(ROOT, 'examples', name);
/** Where an example that brings its packages along is copied to and built, as on a machine of its own. */
export const installed = (name: string): string => join(MADE, name);
export const RUST = join(installed('rust-axum'), 'target/debug/rust-axum');
/** What the tests themselves ask of Python. */
export const TESTS_OWN = join(ROOT, 'test/interop/requirements.txt');
