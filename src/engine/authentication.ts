import { type AuthorizationCode, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { acrOf, toldAs } from '../domain/index.ts';
import { splitScope } from './scopes.ts';

/** How and when somebody was authenticated, as a code or a refresh token carries it on. */
interface Authentication {
  readonly acr?: string | undefined;
  readonly amr?: readonly string[] | undefined;
  readonly authTime?: number | undefined;
}

/** Where a grant without a code says who was authenticated, and how, for {@link authenticationClaims}. */
const state = (ctx: KoaContextWithOIDC): { authentication?: Authentication } => ctx.state;

/** Notes it for a grant type of ours that has neither code nor refresh token to go by. */
export const noteAuthentication = (ctx: KoaContextWithOIDC, authentication: Authentication): void => {
  state(ctx).authentication = authentication;
};

/** The word a code carries for a session's assurance: that which its request asked for, where that holds (RFC 9470 §5). */
export function acrTold({ amr = [], acr }: Authentication, asked: readonly string[]): string | undefined {
  const proven = acrOf(amr);
  return proven ? toldAs(proven, asked) : acr;
}

/** Has each code carry its word. */
export function tellAcr(provider: Provider): void {
  const model = provider.AuthorizationCode.prototype as AuthorizationCode;
  const { save } = model;
  model.save = function (...args) {
    const told = acrTold(this, splitScope(Provider.ctx?.oidc.params?.['acr_values'] as string | undefined));
    if (told) this.acr = told;
    return save.apply(this, args);
  };
}

/** `acr`, `amr` and `auth_time` of a person's access token (RFC 9068 §2.2.1, RFC 9470 §6). */
export function authenticationClaims(ctx: KoaContextWithOIDC) {
  const { AuthorizationCode, DeviceCode, RefreshToken } = ctx.oidc.entities as Record<string, Authentication>;
  const { acr, amr, authTime } = state(ctx).authentication ?? AuthorizationCode ?? DeviceCode ?? RefreshToken ?? {};
  return {
    ...(acr && { acr }),
    ...(amr && { amr: [...amr] }),
    ...(authTime && { auth_time: authTime }),
  };
}
