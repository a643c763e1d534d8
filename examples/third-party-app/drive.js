/** A drive with people's files. Its owners decide at Postern who else may do what with them: npm run drive */
import express from 'express';
import * as oidc from 'openid-client';

const { ISSUER, AUDIENCE, DRIVE_ID, DRIVE_SECRET, PORT = '8001' } = process.env;

// Plain http is for the machine you develop on.
const http = ISSUER.startsWith('http:') ? { execute: [oidc.allowInsecureRequests] } : undefined;
const postern = await oidc.discovery(new URL(ISSUER), DRIVE_ID, DRIVE_SECRET, oidc.ClientSecretBasic(), http);

// #region introspect
// It asks at each request (RFC 7662), so what an owner withdraws ends at once, not when the token would have.
const authenticate = async (req, res, next) => {
  const token = /^Bearer (.+)$/i.exec(req.get('Authorization') ?? '')?.[1];
  if (!token) return res.status(401).set('WWW-Authenticate', 'Bearer').json({ error: 'no token' });
  try {
    req.token = await oidc.tokenIntrospection(postern, token, { token_type_hint: 'access_token' });
  } catch {
    // Nobody could be asked: nobody's token is at fault.
    return res.status(503).json({ error: 'try again' });
  }
  const { active, iss, aud, token_type } = req.token;
  if (active && iss === ISSUER && aud === AUDIENCE && token_type === 'Bearer') return next();
  res.status(401).set('WWW-Authenticate', 'Bearer error="invalid_token"').json({ error: 'invalid_token' });
};
// #endregion

// #region scope
const scope = (needed) => [
  authenticate,
  (req, res, next) => {
    if (req.token.scope?.split(' ').includes(needed)) return next();
    res.set('WWW-Authenticate', `Bearer error="insufficient_scope", scope="${needed}"`);
    res.status(403).json({ error: 'insufficient_scope' });
  },
];

const drive = express();
drive.get('/files', scope('files.read'), (req, res) => res.json({ owner: req.token.sub, files: ['a.jpg', 'b.jpg'] }));
drive.post('/files', scope('files.write'), (_req, res) => res.status(201).json({ written: true }));
// #endregion

drive.listen(Number(PORT), '127.0.0.1');
