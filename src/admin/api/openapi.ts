import { z } from 'zod';
import { shapesOf } from '../../operations/index.ts';
import { BASE, DOCUMENT, ROUTES, type Route, SCOPES, scopeOf } from './routes.ts';

type Json = Readonly<Record<string, unknown>>;
type Schema = Json & { readonly properties?: Json; readonly required?: readonly string[] };

const IN_ALL = { 401: 'Unauthorized', 403: 'Forbidden', 503: 'Unavailable' } as const;

/** Everything that is refused is told like this, as at every other endpoint. */
const ERROR = {
  type: 'object',
  properties: {
    error: { type: 'string', description: 'what was refused, by a name that stays' },
    error_description: { type: 'string', description: 'the same in words' },
    error_id: { type: 'string', description: 'for GET /refusals/{id}, or `postern explain`' },
  },
  required: ['error', 'error_description', 'error_id'],
} as const;

const REFUSED = {
  Invalid: 'What was sent is wrong; the description says what of it',
  Unauthorized: 'No access token of this server for this API, or none that is good (WWW-Authenticate)',
  Forbidden: 'The token has another scope (insufficient_scope), or its person is no operator (access_denied)',
  Missing: 'There is none of what the path names',
  Conflict: 'It cannot be done beside what there is already, or would leave no operator (last_operator)',
  TooLarge: 'The body is too large',
  NotJson: 'The body is not sent as application/json',
  Unavailable: 'The store cannot answer at present, or too many passwords are being hashed: try again (Retry-After)',
} as const;

/** Of one server: OpenAPI 3.1, from the table of routes and what the operations take and give. */
export function openApi(issuer: string): object {
  const schemas: Record<string, unknown> = { Error: ERROR };

  /** Schemas that have a name stand once, by that. */
  function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Schema {
    const {
      $schema: _,
      $defs = {},
      ...made
    } = z.toJSONSchema(schema, {
      io,
      unrepresentable: 'any',
      // There may be members more one day, which a client leaves alone.
      override: ({ jsonSchema }) => {
        if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      },
    }) as Json;
    for (const [name, each] of Object.entries($defs as Json)) schemas[name] = pointed(each);
    const { id, ...rest } = pointed(made) as Json;
    if (typeof id !== 'string') return rest;
    schemas[id] = rest;
    return { $ref: `#/components/schemas/${id}` };
  }

  function operationOf(route: Route): Json {
    const { takes, gives } = shapesOf(route.operation);
    const { properties = {}, required = [] } = schemaOf(takes, 'input');
    const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const parameter = (name: string) => {
      const { description, ...schema } = (properties[name] ?? {}) as Json;
      const where = inPath.includes(name) ? 'path' : 'query';
      return {
        name,
        in: where,
        required: where === 'path' || required.includes(name),
        ...(description !== undefined && { description }),
        schema,
      };
    };
    const others = Object.keys(properties).filter((name) => !inPath.includes(name));
    const reads = route.method === 'GET';
    const parameters = [...inPath, ...(reads ? others : [])].map(parameter);
    const needed = required.filter((name) => others.includes(name));
    const hasBody = !reads && others.length > 0;
    const given = schemaOf(gives, 'output');
    const status = route.made === undefined ? 200 : 201;
    return {
      operationId: route.id,
      summary: route.summary,
      tags: [route.path.split('/')[1]],
      security: [{ oauth2: [scopeOf(route)] }],
      ...(parameters.length > 0 && { parameters }),
      ...(hasBody && {
        requestBody: {
          required: needed.length > 0,
          content: jsonOf({
            type: 'object',
            properties: Object.fromEntries(others.map((name) => [name, properties[name]])),
            ...(needed.length > 0 && { required: needed }),
            additionalProperties: false,
          }),
        },
      }),
      responses: {
        [status]: {
          description: status === 201 ? 'Made' : 'Done',
          ...(status === 201 && {
            headers: { Location: { description: 'what was made', schema: { type: 'string', format: 'uri' } } },
          }),
          content: jsonOf(route.whole ? pageOf(given) : given),
        },
        400: refused('Invalid'),
        ...Object.fromEntries(Object.entries(IN_ALL).map(([code, name]) => [code, refused(name)])),
        ...(inPath.length > 0 && { 404: refused('Missing') }),
        ...(!reads && { 409: refused('Conflict') }),
        ...(hasBody && { 413: refused('TooLarge'), 415: refused('NotJson') }),
      },
    };
  }

  const paths: Record<string, Record<string, Json>> = {};
  for (const route of ROUTES) {
    paths[route.path] ??= {};
    paths[route.path]![route.method.toLowerCase()] = operationOf(route);
  }
  paths[DOCUMENT] = {
    get: {
      operationId: 'getOpenApi',
      summary: 'This document',
      security: [],
      responses: { 200: { description: 'OpenAPI 3.1', content: jsonOf({ type: 'object' }) } },
    },
  };
  return {
    openapi: '3.1.0',
    info: { title: 'Postern: for operators', version: '1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: `${issuer}${BASE}` }],
    paths,
    components: {
      schemas,
      responses: Object.fromEntries(
        Object.entries(REFUSED).map(([name, description]) => [
          name,
          { description, content: jsonOf({ $ref: '#/components/schemas/Error' }) },
        ]),
      ),
      securitySchemes: {
        oauth2: {
          type: 'oauth2',
          description: `An access token for the resource ${issuer}${BASE}, as Bearer or DPoP`,
          flows: {
            clientCredentials: { tokenUrl: `${issuer}/token`, scopes: SCOPES },
            authorizationCode: {
              authorizationUrl: `${issuer}/authorize`,
              tokenUrl: `${issuer}/token`,
              scopes: SCOPES,
            },
          },
        },
      },
    },
  };
}

const jsonOf = (schema: Json): Json => ({ 'application/json': { schema } });

const refused = (name: keyof typeof REFUSED): Json => ({ $ref: `#/components/responses/${name}` });

/** A list that comes whole: the one page of it. */
const pageOf = (list: Json): Json => ({ type: 'object', properties: { items: list }, required: ['items'] });

/** zod points to what it has defined beside; in one document all of it stands in one place. */
const pointed = (schema: unknown): unknown =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'));
