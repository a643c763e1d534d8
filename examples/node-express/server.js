/** An Express API whose tokens Postern issues: npm start */
import express from 'express';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const { ISSUER, AUDIENCE, PORT = '8000' } = process.env;

// #region verify
// Before: jwt.verify(token, process.env.JWT_SECRET)
const keys = createRemoteJWKSet(new URL(`${ISSUER}/.well-known/jwks.json`));

const authenticate = async (req, res, next) => {
  const token = /^Bearer (.+)$/i.exec(req.get('Authorization') ?? '')?.[1];
  if (!token) return res.status(401).set('WWW-Authenticate', 'Bearer').json({ error: 'no token' });
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: 'at+jwt',
      algorithms: ['RS256'],
    });
    req.user = payload;
  } catch (error) {
    // The keys could not be fetched: nobody's token is at fault.
    if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError))
      return res.status(503).json({ error: 'try again' });
    return res.status(401).set('WWW-Authenticate', 'Bearer error="invalid_token"').json({ error: error.code });
  }
  next();
};
// #endregion

// #region scope
const scope = (needed) => [
  authenticate,
  (req, res, next) => {
    if (req.user.scope?.split(' ').includes(needed)) return next();
    res.set('WWW-Authenticate', `Bearer error="insufficient_scope", scope="${needed}"`);
    res.status(403).json({ error: 'insufficient_scope' });
  },
];

const app = express();
app.get('/protected', authenticate, (req, res) => res.json({ sub: req.user.sub }));
app.get('/files', scope('files.read'), (_req, res) => res.json({ files: ['a.txt', 'b.txt'] }));
app.post('/files', scope('files.write'), (_req, res) => res.status(201).json({ written: true }));
// #endregion

app.listen(Number(PORT), '127.0.0.1');
