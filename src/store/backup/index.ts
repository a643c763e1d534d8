/**
 * store/backup: one file that holds a whole store as of one moment.
 *
 * It owns the form of that file and what is wrong with one: another kind of file, cut short, changed, sealed under another
 * master key, newer than this program. It reads and writes rows as they are kept, sealed as they are, and knows neither
 * an engine nor a rule about what may come back: domain/restore.ts has those.
 */
export { openBackup } from './read.ts';
export { save } from './save.ts';
export { writeBackup } from './write.ts';
