/** A worker as small as one can be: it takes connections and answers as the real one does. `GET /leave` ends its line and not itself. */
import type { Socket } from 'node:net';
import { type Receiving, receive } from '../../src/http/listen.ts';
import type { FromWorker, ToWorker } from '../../src/processes/messages.ts';

const tell = (message: FromWorker, written = () => {}) => process.send?.(message, undefined, undefined, written);
let door: Receiving;
let ended = 0;

process.on('message', (message: ToWorker, socket: Socket | undefined) => {
  if (message.type === 'begin') {
    door = receive({
      ...message.entrance,
      handler: (req, res) => {
        res.end(String(process.pid));
        if (req.url === '/leave') process.disconnect();
      },
    });
    tell({ type: 'serving', issuer: 'http://localhost:3000' });
  }
  if (message.type === 'ask')
    tell({ type: 'answer', question: message.question, value: message.what === 'alive' || undefined });
  if (message.type === 'connection')
    tell({ type: 'taken', number: message.number }, () => {
      socket?.once('close', () => {
        ended += 1;
        tell({ type: 'ended', connections: ended });
      });
      if (socket) door.take(socket);
    });
});

// Whose line it was is gone: so that none is left behind where a test fails.
process.on('disconnect', () => setTimeout(() => process.exit(), 20_000));
