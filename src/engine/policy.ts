import { interactionPolicy as engine, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { type Domain, leastOf } from '../domain/index.ts';
import { askedOf, covers } from './grants.ts';
import { ASSURANCE } from './proofs.ts';
import { resourceScopesOf, splitScope } from './scopes.ts';

const { REQUEST_PROMPT, NO_NEED_TO_PROMPT } = engine.Check;

export type Policy = ReturnType<typeof interactionPolicy>;

/** When a person has to be asked: the engine's own checks, three of ours, and `prompt=select_account` (OIDC Core §3.1.2.1). */
export function interactionPolicy(domain: Domain) {
  const policy = engine.base();
  const login = policy.get('login');
  login?.checks.add(
    // Somebody is signed in who was disabled or removed, or whose sign-in no longer counts (engine/accounts.ts).
    new engine.Check('account_gone', 'the person who was signed in has to sign in again', 'login_required', (ctx) =>
      ctx.oidc.session?.accountId !== undefined && ctx.oidc.account === undefined ? REQUEST_PROMPT : NO_NEED_TO_PROMPT,
    ),
  );
  login?.checks.add(
    // Every answer of the engine comes by here, however somebody was signed in.
    new engine.Check(ASSURANCE, 'the person has to prove more', 'login_required', async (ctx) =>
      (await isEnough(domain, ctx)) ? NO_NEED_TO_PROMPT : REQUEST_PROMPT,
    ),
  );
  policy.get('consent')?.checks.add(
    // What was granted without them, while the application was the operator's own, they have not allowed.
    new engine.Check('never_allowed', 'the person has not allowed it', 'consent_required', async (ctx) =>
      (await isAllowed(domain, ctx)) ? NO_NEED_TO_PROMPT : REQUEST_PROMPT,
    ),
  );
  // Choosing is signing in: the page begins with who is signed in, and takes anybody.
  const choose = new engine.Prompt({ name: 'select_account', requestable: true });
  policy.add(choose, 0);
  choose.checks.add(
    new engine.Check('nothing_asked', 'the request asks for nothing', 'invalid_scope', (ctx) => {
      refuseNothing(ctx);
      return NO_NEED_TO_PROMPT;
    }),
    0,
  );
  return policy;
}

/**
 * What nothing can be granted of is refused before anybody is asked for a password, and in words: the engine would only say
 * that access was denied, and that afterwards (RFC 6749 §3.3).
 * @throws InvalidScope
 */
export function refuseNothing({ oidc }: KoaContextWithOIDC): void {
  const { requestParamScopes: asked, requestParamOIDCScopes: openid, resourceServers = {} } = oidc;
  const servers = Object.entries(resourceServers);
  if (openid.size > 0 || servers.some(([, { scopes }]) => !scopes.isDisjointFrom(asked))) return;
  const own = servers.map(([uri, { scopes }]) => {
    const words = resourceScopesOf([...scopes]).join(' ');
    return `; ${uri} has ${words || 'no scopes for this client'}`;
  });
  throw Object.assign(
    new errors.InvalidScope('no scope was asked for that could be granted', oidc.params?.['scope'] as string),
    {
      error_detail: `a sign-in asks for openid${own.join('')}`,
    },
  );
}

/**
 * Whether the session is proven as the operator, the application and the request demand.
 * @throws UnmetAuthenticationRequirements where the request demands nothing that we know (RFC 9470 §5)
 */
async function isEnough(domain: Domain, { oidc }: KoaContextWithOIDC): Promise<boolean> {
  const asked = splitScope(oidc.params?.['acr_values'] as string | undefined);
  if (leastOf(asked) === 'unmet')
    throw new errors.UnmetAuthenticationRequirements('none of the acr_values is known to this server');
  const { accountId, amr = [] } = oidc.session ?? {};
  const person = accountId ? await domain.accounts.get(accountId) : undefined;
  // The other checks ask who it is.
  if (!person) return true;
  const client = await domain.clients.get(oidc.client?.clientId ?? '');
  const registered = client?.acrValues ?? [];
  return (await domain.assurance.standing(person, amr, { asked, registered })).missing === undefined;
}

/** Whether they need not be asked, or were: all that is asked is in their consent. */
async function isAllowed({ clients, consents }: Domain, { oidc }: KoaContextWithOIDC): Promise<boolean> {
  const [accountId, client] = [oidc.account?.accountId, await clients.get(oidc.client?.clientId ?? '')];
  // The other checks ask who it is.
  if (!accountId || !client || client.firstParty) return true;
  const asked = askedOf(oidc.params?.['scope'] as string | undefined, oidc.resourceServers ?? {});
  return covers(await consents.find(accountId, client.id), asked);
}
