/** Photo Prints: may look at the files in somebody's drive, and do nothing else there: npm start */
import { randomBytes } from 'node:crypto';
import express from 'express';
import * as oidc from 'openid-client';
import { page } from './page.js';

const { ISSUER, AUDIENCE, CLIENT_ID, CLIENT_SECRET, DRIVE, APP_URL, PORT = '8000' } = process.env;

// Plain http is for the machine you develop on.
const http = ISSUER.startsWith('http:') ? { execute: [oidc.allowInsecureRequests] } : undefined;
const postern = await oidc.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, oidc.ClientSecretBasic(), http);

const app = express();

// #region session
// Tokens stay on this server; the browser holds a name for them that no script can read.
const sessions = new Map();
const COOKIE = { httpOnly: true, sameSite: 'lax', secure: APP_URL.startsWith('https:') };
const session = (req) => sessions.get(/(?:^|; )prints=([\w-]+)/.exec(req.get('Cookie') ?? '')?.[1]) ?? {};
function remember(res, what) {
  const id = randomBytes(16).toString('base64url');
  sessions.set(id, what);
  res.cookie('prints', id, COOKIE);
}
// #endregion

// #region connect
app.post('/connect', async (_req, res) => {
  const pending = { verifier: oidc.randomPKCECodeVerifier(), state: oidc.randomState() };
  remember(res, { pending });
  const url = oidc.buildAuthorizationUrl(postern, {
    redirect_uri: `${APP_URL}/callback`,
    // Only what it needs: that is what the person is asked for, and all that its tokens can do.
    scope: 'files.read',
    resource: AUDIENCE,
    state: pending.state,
    code_challenge: await oidc.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: 'S256',
  });
  res.redirect(303, url.href);
});

app.get('/callback', async (req, res) => {
  const { pending } = session(req);
  if (!pending) return res.redirect('/');
  try {
    const tokens = await oidc.authorizationCodeGrant(postern, new URL(req.url, APP_URL), {
      pkceCodeVerifier: pending.verifier,
      expectedState: pending.state,
    });
    remember(res, { tokens });
    res.redirect('/');
  } catch (error) {
    const denied = error.error === 'access_denied';
    res.status(denied ? 200 : 400).send(page({ problem: denied ? 'You did not allow it.' : 'That did not work.' }));
  }
});
// #endregion

// #region call
async function callDrive(own, method) {
  const call = () =>
    fetch(`${DRIVE}/files`, { method, headers: { Authorization: `Bearer ${own.tokens.access_token}` } });
  const answer = await call();
  if (answer.status !== 401) return answer;
  // It has expired, or it was withdrawn: then there is no new one.
  own.tokens = { ...own.tokens, ...(await oidc.refreshTokenGrant(postern, own.tokens.refresh_token)) };
  return call();
}

const shown = (method) => async (req, res) => {
  const own = session(req);
  if (!own.tokens) return res.send(page({}));
  try {
    const answer = await callDrive(own, method);
    res.send(page({ status: answer.status, answer: await answer.json() }));
  } catch (error) {
    if (error.error !== 'invalid_grant') return res.status(503).send(page({ problem: 'Please try again.' }));
    own.tokens = undefined;
    res.send(page({ problem: 'Your drive is no longer connected.' }));
  }
};
app.get('/', shown('GET'));
app.post('/add', shown('POST'));
// #endregion

app.listen(Number(PORT), '127.0.0.1');
