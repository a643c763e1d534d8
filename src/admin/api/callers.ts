import type { Context } from 'koa';
import type { Actor, Domain } from '../../domain/index.ts';
import type { Engine } from '../../engine/index.ts';
import { stateOf } from '../../http/index.ts';
import { accessDenied, noLongerGood, proofNeeded, scopeNeeded } from './refused.ts';
import { BASE, type Scope } from './routes.ts';

export interface Means {
  readonly issuer: string;
  readonly domain: Pick<Domain, 'accounts' | 'assurance' | 'clients' | 'resources'>;
  readonly presented: Engine['presented'];
}

/**
 * Who asks, by a token that the operator let somebody have for this API, as an API like any other. All of it is looked at
 * with every request: what was taken away is gone at once.
 * @throws HttpRefusal 401 or 403
 */
export const callers = ({ issuer, domain, presented }: Means) => {
  const { accounts, assurance, clients, resources } = domain;
  const api = `${issuer}${BASE}`;

  return async (ctx: Context, needed: Scope): Promise<Actor> => {
    const token = await presented(ctx, api);
    const { scheme, clientId, accountId } = token;
    stateOf(ctx).clientId = clientId;
    const bad = (sentence: string) => noLongerGood({ issuer, scheme }, sentence);

    const [resource, client] = await Promise.all([resources.get(api), clients.get(clientId)]);
    if (!resource || !client?.resources.includes(api)) throw bad('the application may not ask for this API any more');
    // Whatever an operator gave it since: nobody knows who can change what it says of itself.
    if (client.registration) throw bad('an application that registered itself is never let in here');

    const person = accountId === undefined ? undefined : await accounts.get(accountId);
    if (accountId !== undefined && (!person || person.disabled)) throw bad('the person is not here any more');
    if (person && !person.admin) throw accessDenied();
    if (person) {
      const { missing, needed } = await assurance.standing(person, token.amr, {
        asked: [],
        registered: client.acrValues ?? [],
      });
      if (missing !== undefined) throw proofNeeded({ issuer, scheme }, needed);
    }

    const known = resource.scopes.filter((scope) => client.scopes.length === 0 || client.scopes.includes(scope));
    if (!token.scopes.includes(needed) || !known.includes(needed)) throw scopeNeeded({ issuer, scheme }, needed);
    return { ...(person && { by: person.id }), by_client: clientId };
  };
};
