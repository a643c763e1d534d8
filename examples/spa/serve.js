/** Hands out four files and nothing else; any static web server does: npm start */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const { ISSUER, CLIENT_ID, PORT = '8000' } = process.env;

const file = (path, type) => ({ type, body: readFileSync(new URL(path, import.meta.url)) });
const page = file('index.html', 'text/html');
const FILES = {
  '/': page,
  '/callback': page,
  '/app.js': file('app.js', 'text/javascript'),
  '/oidc-client-ts.js': file('node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js', 'text/javascript'),
  '/settings.json': { type: 'application/json', body: JSON.stringify({ issuer: ISSUER, client_id: CLIENT_ID }) },
};

createServer((req, res) => {
  const found = FILES[req.url.split('?')[0]];
  res.writeHead(found ? 200 : 404, {
    'Content-Type': found?.type ?? 'text/plain',
    // Only this application's own scripts run, and they talk to it and to the server alone.
    'Content-Security-Policy': `default-src 'self'; connect-src 'self' ${ISSUER}; frame-ancestors 'none'`,
  });
  res.end(found?.body ?? 'not found');
}).listen(Number(PORT), '127.0.0.1');
