import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { AuthenticatorApp } from './authenticator-app.ts';
import { authorize } from './client.ts';
import { addClient, addPerson, type Postern } from './postern.ts';

/** What a client that proves itself by its key is answered, and what when it shows the same assertion again. */
export async function assertionTwice(postern: Postern): Promise<readonly number[]> {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const { id } = await addClient(postern, { type: 'service', redirectUris: [], jwks: { keys: [jwk] } });
  const at = Math.floor(Date.now() / 1000);
  const assertion = await new SignJWT({ iss: id, sub: id, aud: postern.issuer, jti: 'once', iat: at, exp: at + 60 })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .sign(privateKey);
  const ask = async () => {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    });
    return (await fetch(`${postern.url}/token`, { method: 'POST', body })).status;
  };
  return [await ask(), await ask()];
}

/** Somebody adds an authenticator app, and types the code it shows: who, and the page they come to. */
export async function addAuthenticator(postern: Postern): Promise<{ readonly id: string; readonly page: string }> {
  const { id, email } = await addPerson(postern, 'grace@example.com');
  const { agent } = await authorize(postern, await addClient(postern), {}, undefined, email);
  const page = await agent.get('/account/totp');
  const code = AuthenticatorApp.scan(page).fresh();
  const added = await agent.submit(page, { code }, { name: 'decision', value: 'add' });
  return { id, page: added.page ?? '' };
}
