import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Undeliverable } from '../domain/index.ts';
import { seconds } from '../lib/index.ts';
import type { Sender } from './message.ts';

/** How long each part of a conversation may take; the whole is the courier's to end. */
const PATIENCE = seconds(20);

interface Options {
  readonly url: string;
  /** How we call ourselves. */
  readonly hostname: string;
}

interface Refused {
  readonly code?: string;
  readonly responseCode?: number;
  readonly response?: string;
  /** What was answered so. */
  readonly command?: string;
}

/**
 * Hands messages to a mail server (RFC 5321), each over a connection of its own that ends with the attempt. A password is
 * sent only where TLS was checked; without one TLS is used where it is offered, as mail servers do among themselves.
 */
export function smtp({ url, hostname }: Options): Sender {
  const { protocol, hostname: bracketed, port, username, password } = new URL(url);
  const host = bracketed.replace(/^\[|\]$/g, '');
  const secure = protocol === 'smtps:';
  const local = /^(localhost|127\..*|::1)$/.test(host);
  const requireTLS = !secure && username !== '' && !local;
  const server = {
    host,
    port: Number(port) || (secure ? 465 : username ? 587 : 25),
    secure,
    requireTLS,
    name: hostname,
    ...(username && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    tls: { rejectUnauthorized: secure || requireTLS },
    greetingTimeout: PATIENCE,
    socketTimeout: PATIENCE,
  };

  return async (message, { signal }) => {
    const { createTransport } = await import('nodemailer');
    const socket = await reach(server.host, server.port, signal);
    const end = () => socket.destroy(new Error('nobody waits for it any more'));
    signal.addEventListener('abort', end, { once: true });
    try {
      const transport = createTransport({ ...server, getSocket: (_, done) => done(null, { connection: socket }) });
      await transport.sendMail(message);
    } catch (error) {
      throw isFinal(error as Refused) ? new Undeliverable((error as Error).message, { cause: error }) : error;
    } finally {
      signal.removeEventListener('abort', end);
      socket.destroy();
    }
  };
}

async function reach(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]) });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** The server will not take this message, now or later (RFC 5321 §4.2.1). Refusing us altogether is no word about it. */
const isFinal = (refused: Refused): boolean =>
  (refused.code === 'EENVELOPE' || refused.code === 'EMESSAGE') &&
  (refused.responseCode ?? 0) >= 500 &&
  !isAboutUs(refused);

/**
 * It would refuse every mail of ours until the operator mends something: our address, a password that is missing (RFC 4954
 * §6), our right to send by this server (RFC 3463 §3.8).
 */
const isAboutUs = ({ command, responseCode, response = '' }: Refused): boolean =>
  command === 'MAIL FROM' || responseCode === 530 || (command === 'RCPT TO' && /^\d{3}[ -]5\.7\./.test(response));
