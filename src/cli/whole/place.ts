import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Refusal } from '../../lib/index.ts';
import type { Place } from '../../store/open.ts';

/**
 * Where `--to` says: `postgresql://…` is a database, `file:PATH` a folder, and so is a path that begins with `/`, `./` or `../`.
 * A word alone is nothing: it may be a mistyped address, and the store would be moved into a folder of that name.
 * @throws Refusal `place_invalid`, which never repeats what may hold a password
 */
export function placeFrom(text: string): Place {
  if (/^postgres(ql)?:\/\/./.test(text)) {
    if (URL.canParse(text)) return { url: text, named: '--to' };
    throw invalid('the URL after --to is none: postgresql://user:password@host:5432/postern');
  }
  if (/^file:\/\//.test(text)) return { folder: folderOf(text) };
  const path = text.replace(/^file:/, '');
  const isFolder = path === text ? /^\.{0,2}\//.test(path) : path !== '' && !/^[a-z][a-z0-9+.-]+:/i.test(path);
  if (!isFolder) throw invalid('--to takes a database (postgresql://…) or a data folder (file:PATH)');
  return { folder: path };
}

/** The same place under two names is the same place. */
export function samePlace(one: Place, other: Place): boolean {
  if ('folder' in one) return 'folder' in other && sameFolder(one.folder, other.folder);
  if (!('url' in other)) return false;
  const [a, b] = [databaseOf(one.url), databaseOf(other.url)];
  return a.every((part, i) => part === b[i]);
}

/** Which database a URL leads to: what its query says holds, as for libpq. */
function databaseOf(text: string): readonly string[] {
  const { hostname, port, pathname, searchParams } = new URL(text);
  return [searchParams.get('host') || hostname, searchParams.get('port') || port || '5432', pathname];
}

/** Whatever links lead there. */
function sameFolder(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(one), statSync(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    // One that is not there, or cannot be looked at: whoever opens it says so.
    return resolve(one) === resolve(other);
  }
}

function folderOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw invalid('the URL after --to is none: file:///path/to/folder');
  }
}

const invalid = (message: string): Refusal => new Refusal('place_invalid', message);
