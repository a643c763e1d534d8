import type { Settings } from '../config/index.ts';
import type { RegisteredClient } from './clients.ts';

/** The client that the server's own pages are; no registered one can have this id. */
export const OWN_CLIENT = 'account';

/**
 * People sign in to the pages of their own account, and operators to theirs, as they do to any application. It is built in: it
 * stands in no list, and cannot be changed or removed.
 */
export const ownClient = ({ issuer, brand }: Pick<Settings, 'issuer' | 'brand'>): RegisteredClient => ({
  id: OWN_CLIENT,
  name: brand.name,
  type: 'spa',
  redirectUris: [`${issuer}/account/signed-in`, `${issuer}/admin/signed-in`],
  postLogoutRedirectUris: [],
  grantTypes: ['authorization_code'],
  scopes: ['openid'],
  resources: [],
  firstParty: true,
  tokenEndpointAuthMethod: 'none',
  secretHashes: [],
  createdAt: 0,
  updatedAt: 0,
});
