/** node:http and nothing else: what answering a request with a body of so many bytes costs at least. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer } from './answer.ts';

let body = '';
const server = createServer((req, res) => {
  const send = () => {
    res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    res.end(body);
  };
  if (req.method !== 'POST') return send();
  req.on('data', () => {});
  req.on('end', send);
});

answer({
  serve({ bytes }: { bytes: number }) {
    body = 'x'.repeat(bytes);
    return new Promise<string>((resolve) => {
      const told = () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      if (server.listening) told();
      else server.listen(0, '127.0.0.1', told);
    });
  },
});
