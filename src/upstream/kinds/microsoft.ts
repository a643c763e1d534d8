import { Refusal } from '../../lib/index.ts';
import { alwaysAt } from '../issuers.ts';
import { openIdConnect } from '../openid-connect.ts';

const LOGIN = 'https://login.microsoftonline.com';
const TENANT = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc. One registration may be for every organization:
 * the issuer of its discovery document is then `…/{tenantid}/v2.0`, and each ID token's is that of its own tenant, which
 * openid-client demands of it.
 */
export const microsoft = openIdConnect({
  name: 'Microsoft',
  place: { by: 'tenant', needed: false },
  issuerFrom({ tenant = 'common', issuer }) {
    if (issuer !== undefined) alwaysAt(`${LOGIN}/<tenant>/v2.0`)({ issuer });
    if (!TENANT.test(tenant))
      throw new Refusal('tenant_invalid', 'a tenant is its id, its domain, common, organizations or consumers');
    return `${LOGIN}/${tenant.toLowerCase()}/v2.0`;
  },
  provesFreshness: true,
  omits: ['ui_locales'],
  subject: ({ sub, tid }) =>
    typeof tid === 'string' && GUID.test(tid) && typeof sub === 'string' ? `${tid}/${sub}` : undefined,
  // Administrators write what they like into `email`; `xms_edov` says that the domain's owner was verified.
  answersForEmail: ({ xms_edov }) => [true, 1, '1', 'true'].includes(xms_edov as never),
});
