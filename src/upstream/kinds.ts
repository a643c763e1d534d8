import { Refusal } from '../lib/index.ts';
import type { Kind, Said } from './kind.ts';
import { facebook } from './kinds/facebook.ts';
import { github } from './kinds/github.ts';
import { google } from './kinds/google.ts';
import { microsoft } from './kinds/microsoft.ts';
import { anyProvider } from './kinds/oidc.ts';

/** Every kind of provider there is: a new one is one file and one row. */
const KINDS: Readonly<Record<string, Kind>> = { oidc: anyProvider, google, microsoft, facebook, github };

export const KIND_NAMES: readonly string[] = Object.keys(KINDS);

/** Undefined for a kind that only another version knows. */
export const kindOf = (name: string): Kind | undefined => (Object.hasOwn(KINDS, name) ? KINDS[name] : undefined);

/**
 * What an operator said of a new provider, with what its kind brings.
 * @throws Refusal `kind_unknown`, `issuer_missing`, `issuer_unused`, `tenant_unused`, `tenant_invalid`
 */
export function settleTerms({
  kind: name,
  scopes,
  ...said
}: Said & { kind: string; scopes?: readonly string[] | undefined }) {
  const kind = kindOf(name);
  if (!kind)
    throw new Refusal('kind_unknown', `${JSON.stringify(name.slice(0, 40))} is none of ${KIND_NAMES.join(', ')}`);
  return { issuer: kind.issuerFrom(said), name: kind.name, scopes: settleScopes(kind, scopes) };
}

/** The scopes of a provider: what its kind asks for, unless the operator names others. */
export function settleScopes(kind: Kind, scopes: readonly string[] = []): readonly string[] {
  if (scopes.length === 0) return kind.scopes;
  // Without it there is no ID token.
  return kind.usesNonce ? [...new Set(['openid', ...scopes])] : scopes;
}
