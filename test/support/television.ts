import * as oidc from 'openid-client';
import type { Server } from '../../src/server.ts';
import { discover, type Registered, signIn } from './client.ts';
import { UserAgent } from './user-agent.ts';

/** A device shows its code, somebody types it and allows, and the device gets its tokens (RFC 8628). */
export async function connectDevice(
  server: Pick<Server, 'issuer'>,
  client: Registered,
  agent = new UserAgent(server.issuer),
) {
  const config = await discover(server, client);
  const shown = await oidc.initiateDeviceAuthorization(config, { scope: 'openid offline_access' });
  const typed = await agent.submit(await agent.get('/device'), { user_code: shown.user_code });
  const { url } = await signIn(agent, typed);
  if (!url.endsWith('/device/allowed')) throw new Error(`not allowed but ${url}`);
  return { shown, agent, tokens: await oidc.pollDeviceAuthorizationGrant(config, { ...shown, interval: 0 }) };
}
