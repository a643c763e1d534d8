import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** The socket's name in the data folder. */
export const SOCKET = 'control.sock';

/**
 * Gives a short path to the folder: a socket's path may have 107 bytes, a folder's 4,096. It is good until
 * the returned handle is closed.
 */
export async function openFolder(folder: string): Promise<{ path: string; handle: FileHandle }> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${handle.fd}`, handle };
}
