import * as oidc from 'openid-client';

const { ISSUER: issuer = 'http://localhost:3000', CLIENT_ID: clientId = '', AUDIENCE: audience } = process.env;

const config = await oidc.discovery(new URL(issuer), clientId, undefined, oidc.None(), {
  // For http on loopback only.
  execute: issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : [],
});

// #region sign_in
const device = await oidc.initiateDeviceAuthorization(config, {
  scope: 'openid profile offline_access files.read',
  resource: audience,
});
console.log(`Open ${device.verification_uri} and type ${device.user_code}`);

// Asks every few seconds, until somebody has said yes or no, or the code is over.
const tokens = await oidc.pollDeviceAuthorizationGrant(config, device);
console.log(`Hello, ${tokens.claims().name}`);
// #endregion

// #region refresh
const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token);
// #endregion
console.log(`An API is shown ${fresh.access_token}`);
