import { once } from 'node:events';
import { connect } from 'node:net';
import { until } from './until.ts';
import type { Answer, UserAgent } from './user-agent.ts';

/**
 * Sends a form and goes where it leads, and is cut off there: the server has done what was asked, and the browser has read
 * nothing of its answer. So it is where the second of two clicks takes the place of the first.
 * @param done whether the server has done it
 */
export async function cutOff(
  agent: UserAgent,
  sending: (agent: UserAgent) => Promise<Answer>,
  done: () => Promise<boolean>,
): Promise<URL> {
  agent.stopsBefore = '/authorize/';
  const { left, page } = await sending(agent);
  agent.stopsBefore = undefined;
  if (!left) throw new Error(`it led to no answer but to ${page}`);
  await unread(agent, left, done);
  return left;
}

/** Asks for an address, and closes the connection once the server has answered, without having read a byte. */
export async function unread(agent: UserAgent, url: URL, done: () => Promise<boolean>): Promise<void> {
  const to = new URL(agent.through ?? agent.origin);
  const socket = connect(Number(to.port), to.hostname);
  await once(socket, 'connect');
  socket.pause();
  socket.write(
    [
      `GET ${url.pathname}${url.search} HTTP/1.1`,
      `Host: ${new URL(agent.origin).host}`,
      `Cookie: ${agent.cookieHeader(url.pathname)}`,
      'Accept: text/html',
      '',
      '',
    ].join('\r\n'),
  );
  await until(done);
  socket.destroy();
}
