import type { OperationName } from '../../operations/index.ts';

/** Below the issuer: also what the operator registers this API as. */
export const BASE = '/admin/api/v1';
/** Where openapi.ts is answered. */
export const DOCUMENT = '/openapi.json';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One thing that can be asked: what is answered, checked and told of it follows from this alone. */
export interface Route {
  readonly method: Method;
  /** Below {@link BASE}; what stands in braces is an argument of the operation. */
  readonly path: string;
  readonly operation: OperationName;
  /** Names it for whoever makes a client of the OpenAPI document. */
  readonly id: string;
  readonly summary: string;
  /** Where what is made is found: answered with 201. */
  readonly made?: string;
  /** The operation gives a list, which is answered as the one page of it. */
  readonly whole?: true;
}

export type Scope = 'read' | 'write';

export const SCOPES: Readonly<Record<Scope, string>> = {
  read: 'look at people, applications, APIs, providers, keys and events',
  write: 'change them',
};

export const scopeOf = ({ method }: Pick<Route, 'method'>): Scope => (method === 'GET' ? 'read' : 'write');

type More = Pick<Route, 'made' | 'whole'>;

const route = (
  line: `${Method} ${string}`,
  operation: OperationName,
  id: string,
  summary: string,
  more: More = {},
): Route => {
  const [method, path] = line.split(' ') as [Method, string];
  return { method, path, operation, id, summary, ...more };
};

const WHOLE = { whole: true } as const;

export const ROUTES: readonly Route[] = [
  route(
    'GET /users',
    'user.page',
    'listUsers',
    'People, page by page: all, who have a text in names or addresses, or who has an address',
  ),
  route('POST /users', 'user.add', 'addUser', 'Add a person', { made: '/users/{id}' }),
  route('GET /users/{user}', 'user.show', 'getUser', 'One person'),
  route(
    'PATCH /users/{user}',
    'user.update',
    'updateUser',
    'Correct what is known of a person; disable or enable them',
  ),
  route('DELETE /users/{user}', 'user.remove', 'removeUser', 'Remove a person and everything issued to them'),
  route(
    'GET /users/{user}/sessions',
    'user.sessions-page',
    'listSessions',
    'Where a person is signed in, page by page',
  ),
  route('DELETE /users/{user}/sessions', 'user.sign-out', 'signOut', 'Sign a person out everywhere'),
  route(
    'DELETE /users/{user}/sessions/{session}',
    'user.end-session',
    'endSession',
    'End one sign-in and what was issued in it',
  ),
  route('PUT /users/{user}/password', 'user.password', 'setPassword', 'Give a new password: signs out everywhere'),
  route('POST /users/{user}/password-reset', 'user.password-reset', 'resetPassword', 'Mail a link to a new password'),
  route('GET /users/{user}/factors', 'user.factors', 'listFactors', 'What a person proves themselves with', WHOLE),
  route('DELETE /users/{user}/factors', 'user.reset-factors', 'resetFactors', 'Take the factors of who lost them all'),
  route('POST /invitations', 'user.invite', 'invite', 'Mail somebody a link to choose a password', {
    made: '/users/{id}',
  }),

  route('GET /clients', 'client.page', 'listClients', 'Applications, page by page'),
  route('POST /clients', 'client.add', 'addClient', 'Register an application', { made: '/clients/{client_id}' }),
  route('GET /clients/{client_id}', 'client.show', 'getClient', 'One application'),
  route('PATCH /clients/{client_id}', 'client.update', 'updateClient', 'Change what is named, keep the rest'),
  route('DELETE /clients/{client_id}', 'client.remove', 'removeClient', 'Remove it and everything it was issued'),
  route('POST /clients/{client_id}/secret', 'client.rotate-secret', 'rotateSecret', 'Give it a new secret'),

  route('GET /resources', 'resource.page', 'listResources', 'APIs that tokens are for, page by page'),
  route('POST /resources', 'resource.add', 'addResource', 'Register an API', { made: '/resources/{uri}' }),
  route('GET /resources/{uri}', 'resource.show', 'getResource', 'One API'),
  route('PATCH /resources/{uri}', 'resource.update', 'updateResource', 'Change what is named, for new tokens'),
  route(
    'DELETE /resources/{uri}',
    'resource.remove',
    'removeResource',
    'Remove an API that nobody may ask for any more',
  ),

  route('GET /upstreams', 'upstream.list', 'listUpstreams', 'Providers that people may sign in by', WHOLE),
  route('POST /upstreams', 'upstream.add', 'addUpstream', 'Add a provider', { made: '/upstreams/{id}' }),
  route('GET /upstreams/{id}', 'upstream.show', 'getUpstream', 'One provider'),
  route('PATCH /upstreams/{id}', 'upstream.update', 'updateUpstream', 'Change what is named, keep the rest'),
  route('DELETE /upstreams/{id}', 'upstream.remove', 'removeUpstream', 'Remove it and every link of people to it'),

  route('GET /registration-tokens', 'registration.page', 'listRegistrationTokens', 'Those still good, page by page'),
  route(
    'POST /registration-tokens',
    'registration.add',
    'addRegistrationToken',
    'Let applications register themselves',
    {
      made: '/registration-tokens/{id}',
    },
  ),
  route(
    'DELETE /registration-tokens/{id}',
    'registration.remove',
    'removeRegistrationToken',
    'Nobody registers with it',
  ),

  route('GET /keys', 'keys.list', 'listKeys', 'Keys that sign tokens', WHOLE),
  route('POST /keys', 'keys.rotate', 'rotateKey', 'Publish a new key, which signs a little later', {
    made: '/keys/{kid}',
  }),
  route(
    'DELETE /keys/{kid}',
    'keys.revoke',
    'revokeKey',
    'Emergency: everything the key signed is refused from now on',
  ),

  route('GET /events', 'audit.page', 'listEvents', 'What happened in the last 90 days, the newest first, page by page'),
  route('GET /refusals/{id}', 'explain', 'explain', 'Why a request was refused, by the error_id of its answer'),
];
