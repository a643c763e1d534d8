import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Person, RegisteredClient } from '../domain/index.ts';
import type { OpenArtifact } from './artifacts.ts';
import type { Policy } from './policy.ts';
import { STATIC_SCOPES } from './scopes.ts';

type Payload = ReturnType<OpenArtifact>;

/** An authorization request with none of the parameters by which one demands more than an answer. */
export interface Simple {
  readonly session: Payload;
  readonly person: Person;
  readonly client: RegisteredClient;
  /** What this session has allowed this client so far. */
  readonly grant: Payload;
  readonly scopes: readonly string[];
  readonly resource: { readonly uri: string; readonly scope: string };
  /** Nobody may be asked: where nobody need be, that is no other request. */
  readonly prompt?: 'none' | undefined;
}

/** The scopes that are granted without asking the person anything; undefined where there is something to ask. */
export type GrantedUnasked = (request: Simple) => Promise<readonly string[] | undefined>;

/** What a simple request does not have, and checks look for. */
const ABSENT = {
  acr_values: undefined,
  authorization_details: undefined,
  claims: undefined,
  id_token_hint: undefined,
  login_hint: undefined,
  max_age: undefined,
};

const NOTHING: ReadonlySet<string> = new Set();

/**
 * Asks the list by which the engine decides whether to ask a person (policy.ts), check by check, of a request that has not
 * come as far as the engine. There is no second list: a check more counts here too. One that looks at something this
 * does not show it throws, and the request goes to the engine.
 */
export function createUnasked(provider: Provider, policy: Policy): GrantedUnasked {
  async function asksNothing(ctx: KoaContextWithOIDC): Promise<boolean> {
    for (const { checks } of policy) {
      for (const { check } of checks) {
        const asks = check(ctx);
        // Nearly all of them know at once.
        if ((typeof asks === 'boolean' ? asks : await asks) !== false) return false;
      }
    }
    return true;
  }

  return async ({ session, person, client, grant: stored, scopes, resource, prompt }) => {
    const grant = new provider.Grant(stored as object);
    const all = new Set(scopes);
    const openid = new Set(scopes.filter((scope) => (STATIC_SCOPES as readonly string[]).includes(scope)));
    const server = only({ scope: resource.scope, scopes: new Set(resource.scope.split(' ')) });
    const oidc = only({
      session: only({ accountId: session.accountId, amr: session['amr'], acr: session['acr'] }),
      account: only({ accountId: person.id }),
      client: only({
        clientId: client.id,
        applicationType: client.type === 'native' ? 'native' : 'web',
        subjectType: 'public',
      }),
      grant,
      params: only({ ...ABSENT, response_type: 'code', scope: scopes.join(' '), prompt }),
      prompts: prompt ? new Set([prompt]) : NOTHING,
      claims: {},
      acr: session['acr'],
      amr: session['amr'],
      entities: only({ IdTokenHint: undefined }),
      result: undefined,
      resourceServers: { [resource.uri]: server },
      requestParamScopes: all,
      requestParamOIDCScopes: openid,
      requestParamClaims: NOTHING,
    });
    if (!(await asksNothing(only({ oidc }) as unknown as KoaContextWithOIDC))) return undefined;
    const granted = `${grant.getOIDCScopeFiltered(openid)} ${grant.getResourceScopeFiltered(resource.uri, all)}`;
    return [...new Set(granted.split(' ').filter(Boolean))];
  };
}

/** Shows what it has, and throws where something else is looked for. */
function only<T extends object>(shown: T): T {
  return new Proxy(shown, {
    get(target, name) {
      if (!(name in target)) throw new TypeError(`a check looks for ${String(name)}`);
      return target[name as keyof T];
    },
    has(_, name) {
      throw new TypeError(`a check looks whether there is ${String(name)}`);
    },
  });
}
