/** Types of the files internals.ts imports; oidc-provider's own types cover only its public interface. */
declare module 'oidc-provider/lib/actions/authorization/index.js' {
  export default function authorization(endpoint: string): { readonly name: string }[];
}
declare module 'oidc-provider/lib/actions/end_session.js' {
  export const init: { readonly name: string }[];
  export const confirm: { readonly name: string }[];
}
declare module 'oidc-provider/lib/actions/introspection.js' {
  const steps: { readonly name: string }[];
  export default steps;
}
declare module 'oidc-provider/lib/actions/revocation.js' {
  const steps: { readonly name: string }[];
  export default steps;
}
declare module 'oidc-provider/lib/actions/token.js' {
  const steps: { readonly name: string }[];
  export default steps;
}
declare module 'oidc-provider/lib/actions/userinfo.js' {
  const steps: { readonly name: string }[];
  export default steps;
}
declare module 'oidc-provider/lib/actions/grants/refresh_token.js' {
  export const parameters: ReadonlySet<string>;
  export function handler(provider: unknown, helpers: unknown, ctx: unknown): Promise<void>;
}
declare module 'oidc-provider/lib/actions/grants/device_code.js' {
  export const parameters: ReadonlySet<string>;
  export function handler(provider: unknown, helpers: unknown, ctx: unknown): Promise<void>;
}
declare module 'oidc-provider/lib/helpers/initialize_keystore.js' {
  export default function initializeKeystore(this: unknown, jwks: { keys: unknown[] }): void;
}
declare module 'oidc-provider/lib/shared/client_auth.js' {
  const steps: { readonly name: string }[];
  export default steps;
}
