import { newSecret, sha256 } from '../../src/lib/index.ts';
import type { Artifact, Store } from '../../src/store/index.ts';

/** What one sign-in at one client leaves in the store: a session, a grant, a code and two tokens. Gives the grant's id. */
export async function issueTo(store: Store, accountId: string, clientId: string): Promise<string> {
  const grantId = newSecret();
  const record: Artifact = { sealed: 'x', accountId, clientId, grantId };
  await store.commit([
    { put: 'sessions', id: sha256(newSecret()), record: { sealed: 'x', accountId, uid: sha256(newSecret()) } },
    { put: 'grants', id: sha256(grantId), record },
    { put: 'authorization_codes', id: sha256(newSecret()), record },
    { put: 'access_tokens', id: sha256(newSecret()), record },
    { put: 'refresh_tokens', id: sha256(newSecret()), record },
  ]);
  return grantId;
}
