/**
 * grants: grant types of our own, one file and one line here each (RFC 6749 §4.5).
 *
 * A grant turns a proof into tokens and decides nothing else: what the client may do is its registration's, what a scope
 * means is the resource's, and whether a password is right the domain says. The grants oidc-provider has stay in engine/.
 */
import type { Provider } from 'oidc-provider';
import type { Domain } from '../domain/index.ts';
import { installPasswordGrant } from './password.ts';

export interface GrantOptions {
  readonly provider: Provider;
  readonly domain: Domain;
}

export function installGrants(options: GrantOptions): void {
  installPasswordGrant(options);
}
