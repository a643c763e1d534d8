import { acrOf, type Domain } from '../domain/index.ts';
import { endingWithPerson, type Lifetimes, splitScope } from '../engine/index.ts';
import { newSecret, numericDate } from '../lib/index.ts';
import { UnitOfWork } from '../store/index.ts';
import { tokenIssuer } from './person-tokens.ts';
import type { Asked, Means, ShortWay } from './way.ts';

interface Options extends Means {
  readonly domain: Means['domain'] & Pick<Domain, 'clients' | 'resourceOwners'>;
  readonly grantLives: Lifetimes['grant'];
}

const GRANT = 'password';
const AMR = ['pwd'];

/**
 * The short way of a password (RFC 6749 §4.3) that is right, for an application that may have what it asks for: who it is
 * from is proven last, and not again where that sends the request the whole way (grants/password.ts).
 */
export function passwords(options: Options): ShortWay {
  const { domain, servers, seal, store, grantLives, onTokens } = options;
  const { accounts, clients, consents, resourceOwners } = domain;
  const issue = tokenIssuer(options);
  const endsWith = endingWithPerson(domain);

  async function answer({ client, form, request, address }: Asked): Promise<object | undefined> {
    const { username, password, scope } = form;
    if (!username || !password || !scope || !client.grantTypes.includes(GRANT)) return undefined;
    const scopes = [...new Set(scope.split(' '))];
    const uri = form['resource'] ?? (await servers.defaultFor(client.id));
    const server = await servers.serverFor(client.id, uri);
    const allowed = splitScope(server.scope);
    if (!scopes.every((word) => allowed.includes(word))) return undefined;

    const owner = await resourceOwners.prove(request, {
      ...{ username, password, address },
      demands: client.acrValues ?? [],
    });
    const person = owner.kind === 'proven' ? await accounts.get(owner.person.id) : undefined;
    if (owner.kind !== 'proven' || !person || person.disabled || person.epoch !== owner.person.epoch) return undefined;
    // A proof takes a while, and many of them wait for one another.
    if ((await clients.get(client.id))?.updatedAt !== client.updatedAt) return undefined;

    const iat = numericDate();
    const grantId = newSecret();
    const all = scopes.join(' ');
    const of = { accountId: person.id, clientId: client.id };
    const grant = seal('Grant', grantId, {
      ...{ kind: 'Grant', jti: grantId, iat, exp: iat + grantLives },
      ...of,
      ...{ openid: { scope: all }, resources: { [uri]: all } },
    });
    const carried = { ...of, grantId, scope: all, resource: uri, acr: acrOf(AMR)!, amr: AMR, authTime: iat };
    const resource = { uri, ttl: server.accessTokenTTL as number, alg: server.alg };
    const family = client.grantTypes.includes('refresh_token') ? { rotations: 0 } : undefined;
    const signIn = { carried, client, person, granted: { openid: scopes, resource: scopes }, resource };
    const issued = await issue(signIn, GRANT, family);

    const unit = new UnitOfWork(store);
    for (const { put, id, record, expiresAt } of [grant, ...issued.rows]) unit.put(put, id, record, { expiresAt });
    endsWith(unit, person);
    await unit.commit();
    void consents.used(person.id, client.id);
    onTokens(GRANT);
    return issued.answer;
  }

  return { path: '/token', grantType: GRANT, parameters: ['username', 'password', 'scope', 'resource'], answer };
}
