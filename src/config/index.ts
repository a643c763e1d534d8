/**
 * config: every setting there is, where it comes from, and what is wrong with it.
 *
 * It reads the environment and a YAML text that are handed to it and gives back one frozen value. It touches no file
 * but the one it is told to read, and only the processes and the command line have settings read.
 */
export { configurationPage, effectiveSettings, settingsJsonSchema } from './document.ts';
export { loadSettings, readDocument, readSettings, type SettingsDocument, SettingsError } from './load.ts';
export type { Settings } from './schema.ts';
export { isLoopback } from './values.ts';
