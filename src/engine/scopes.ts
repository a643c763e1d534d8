/** Scopes of OpenID Connect itself (OIDC Core §5.4, §11), which need no resource; all others belong to a resource. */
export const STATIC_SCOPES = ['openid', 'profile', 'email', 'offline_access'] as const;

/**
 * Which claims about a person each scope opens. What people are called by here is their address: `preferred_username` is
 * told where that may be, and not to whoever was allowed to see a name (the consent page's `profile`).
 */
export const CLAIMS: Readonly<Record<string, string[]>> = {
  openid: ['sub', 'amr', 'acr', 'auth_time'],
  profile: ['name', 'updated_at'],
  email: ['email', 'email_verified', 'preferred_username'],
};

/** Those of them that a client may ask for: all, or what the operator listed; signing in is always among it. */
export const staticScopesOf = ({ scopes }: { readonly scopes: readonly string[] }) =>
  STATIC_SCOPES.filter((scope) => scopes.length === 0 || scope === 'openid' || scopes.includes(scope));

const isStatic = (scope: string): boolean => (STATIC_SCOPES as readonly string[]).includes(scope);

/** The words of a `scope` parameter (RFC 6749 §3.3). */
export const splitScope = (scope: string | undefined): string[] => (scope ? scope.split(' ').filter(Boolean) : []);

/** Which of these scopes are a resource's own. */
export const resourceScopesOf = (scopes: readonly string[]): string[] => scopes.filter((scope) => !isStatic(scope));
