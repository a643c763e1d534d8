import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Refusal, seconds } from '../lib/index.ts';
import { BACKUP, type Backup, type Taken } from './backup.ts';
import { openFolder, SOCKET } from './socket.ts';

/** The command line's side of the control socket; control.ts is the server's. */

/** How long the server may think. */
const ANSWER_WITHIN = seconds(60);

/** A connection to the server, or undefined when nobody listens. */
export async function reach(folder: string): Promise<Socket | undefined> {
  let opened: Awaited<ReturnType<typeof openFolder>> | undefined;
  try {
    opened = await openFolder(folder);
    const socket = connect(`${opened.path}/${SOCKET}`);
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    const denied = code === 'EACCES' || code === 'EPERM';
    const why = denied ? `permission denied: run this as the user the server runs as (${code})` : code;
    throw new Refusal('control_socket', `cannot reach the server through ${folder}/${SOCKET}: ${why}`, {
      cause: error,
    });
  } finally {
    await opened?.handle.close();
  }
}

/** Has one operation done. @throws Refusal with the code the server gives, `no_answer` when it ended before */
export async function converse(socket: Socket, operation: string, args: object): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of say(socket, operation, args)) chunks.push(chunk);
  return resultIn(
    chunks,
    'the server ended before it answered, so it may or may not be done: look before you repeat it',
  );
}

/** The pieces of a backup: what comes before the answer. */
export async function* backupFrom(socket: Socket): Backup {
  const answer: Buffer[] = [];
  let atLineStart = true;
  for await (const chunk of say(socket, BACKUP)) {
    const at = answer.length > 0 ? 0 : beginOfAnswer(chunk, atLineStart);
    if (at < 0) yield chunk;
    else {
      if (at > 0) yield chunk.subarray(0, at);
      answer.push(chunk.subarray(at));
    }
    atLineStart = chunk.at(-1) === NEWLINE;
  }
  return resultIn(answer, 'the server ended before the backup was whole: nothing was written') as Taken;
}

const [BRACE, NEWLINE] = Buffer.from('{\n');

/** The answer is the one line that begins with a brace. -1 where it does not begin in this chunk. */
function beginOfAnswer(chunk: Buffer, atLineStart: boolean): number {
  if (atLineStart && chunk[0] === BRACE) return 0;
  const at = chunk.indexOf('\n{');
  return at < 0 ? -1 : at + 1;
}

async function* say(socket: Socket, operation: string, args: object = {}): AsyncGenerator<Buffer> {
  socket.setTimeout(ANSWER_WITHIN, () => socket.destroy());
  try {
    socket.write(`${JSON.stringify({ operation, arguments: args })}\n`);
    yield* socket;
  } catch {
    // A connection that broke is an answer that is not whole.
  }
}

function resultIn(chunks: readonly Buffer[], otherwise: string): unknown {
  let answer: { result?: unknown; error?: { code: string; message: string } };
  try {
    answer = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (cause) {
    throw new Refusal('no_answer', otherwise, { cause });
  }
  if (answer.error) throw new Refusal(answer.error.code, answer.error.message);
  return answer.result;
}
