import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { readForm } from '../../src/http/index.ts';
import { answer, edge } from './support.ts';

test('a connection whose body was given up in the middle is served on, although the rest is still coming', async (t) => {
  await using site = await edge([answer(readForm)]);
  const head = 'POST /interaction/a HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n';
  const socket = connect(site.listening.port, '127.0.0.1');
  let answers = '';
  socket.on('data', (chunk) => {
    answers += chunk;
  });
  socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
  for (let i = 0; i < 200; i++) {
    socket.write(`1000\r\n${'x'.repeat(4096)}\r\n`);
    if (i % 20 === 0) await pause(5);
  }
  socket.write(`0\r\n\r\n${head}Content-Length: 3\r\nConnection: close\r\n\r\na=1`);
  await Promise.race([new Promise((resolve) => socket.once('close', resolve)), pause(3_000)]);
  socket.destroy();
  t.deepEqual(answers.match(/HTTP\/1.1 \d+/g), ['HTTP/1.1 413', 'HTTP/1.1 200']);
});
