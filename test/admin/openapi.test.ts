import { Validator } from '@seriousme/openapi-schema-validator';
import test from 'ava';
import { ROUTES } from '../../src/admin/api/routes.ts';
import { shapesOf } from '../../src/operations/index.ts';
import { startPostern } from '../support/postern.ts';
import { ask, openDoor, type Told } from './operator.ts';

async function document(): Promise<{ told: Told; status: number; answers: Map<string, number> }> {
  const postern = await startPostern();
  try {
    await openDoor(postern);
    const { told, status } = await ask(postern, 'GET /openapi.json');
    const answers = new Map<string, number>();
    for (const path of Object.keys(told.paths))
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
        answers.set(`${method} ${path}`, (await ask(postern, `${method} ${path.replace(/\{\w+\}/g, 'x')}`)).status);
    return { told, status, answers };
  } finally {
    await postern.close();
  }
}

const served = document();

test('the document is OpenAPI 3.1, and anybody may read it', async (t) => {
  const { told, status } = await served;
  t.is(status, 200);
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(told));
  t.true(valid, JSON.stringify(errors));
  t.is(validator.version, '3.1');
});

test('it names every route that answers, and no other', async (t) => {
  const { told, answers } = await served;
  const named = Object.entries(told.paths).flatMap(([path, item]) =>
    Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path}`),
  );
  t.deepEqual(
    named.toSorted(),
    ['GET /openapi.json', ...ROUTES.map(({ method, path }) => `${method} ${path}`)].toSorted(),
  );
  for (const [line, status] of answers)
    t.is(status, line === 'GET /openapi.json' ? 200 : named.includes(line) ? 401 : 405, line);
});

test('every reference leads to something, every operation has an id of its own and says what it refuses', async (t) => {
  const { told } = await served;
  for (const [, pointer = ''] of JSON.stringify(told).matchAll(/"\$ref":"#\/([^"]+)"/g))
    t.truthy(
      pointer.split('/').reduce((at: Told, name) => at?.[name], told),
      pointer,
    );
  t.notRegex(JSON.stringify(told), /\$defs|\$schema/);
  const operations = Object.values(told.paths).flatMap((item) => Object.values(item as object)) as Told[];
  t.is(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
  for (const { operationId, summary, responses, security } of operations) {
    t.truthy(summary, operationId);
    if (security.length > 0)
      for (const status of ['400', '401', '403', '503']) t.truthy(responses[status], operationId);
  }
});

test('what is in a path is an argument of its operation', (t) => {
  for (const { path, operation, id } of ROUTES)
    for (const [, name = ''] of path.matchAll(/\{(\w+)\}/g))
      t.true(name in (shapesOf(operation).takes as unknown as { shape: object }).shape, id);
});

test('a person, a page of them and what makes one are told by their members', async (t) => {
  const { told } = await served;
  const { get, post } = told.paths['/users'];
  t.deepEqual(
    get.parameters.map(({ name, in: where, required }: Told) => [name, where, required]),
    [
      ['after', 'query', false],
      ['limit', 'query', false],
      ['email', 'query', false],
      ['search', 'query', false],
    ],
  );
  const page = get.responses[200].content['application/json'].schema;
  t.deepEqual(page.properties.items, { type: 'array', items: { $ref: '#/components/schemas/User' } });
  t.is(page.properties.next.type, 'string');
  const events = told.paths['/events'].get;
  t.deepEqual(
    events.parameters.map(({ name }: Told) => name),
    ['after', 'limit', 'user', 'type'],
  );
  const { properties, required } = events.responses[200].content['application/json'].schema;
  t.deepEqual([Object.keys(properties), required], [['items', 'next'], ['items']]);
  t.deepEqual(post.requestBody.content['application/json'].schema.required, ['email']);
  t.deepEqual(post.responses[201].content['application/json'].schema, { $ref: '#/components/schemas/User' });
  t.is(told.components.schemas.User.properties.email.type, 'string');
  t.is(told.components.schemas.User.additionalProperties, undefined, 'members may come');
  t.false(post.requestBody.content['application/json'].schema.additionalProperties);
  const patch = told.paths['/users/{user}'].patch;
  t.deepEqual(Object.keys(patch.requestBody.content['application/json'].schema.properties), [
    'name',
    'email',
    'email_verified',
    'admin',
    'disabled',
  ]);
  const { flows } = told.components.securitySchemes.oauth2;
  t.true(flows.authorizationCode.authorizationUrl.endsWith('/authorize'));
  t.deepEqual(Object.keys(flows.clientCredentials.scopes), ['read', 'write']);
});
