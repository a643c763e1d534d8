import type { Context } from 'koa';
import type { Domain } from '../../domain/index.ts';
import { readJsonObject } from '../../http/index.ts';
import { perform } from '../../operations/index.ts';
import { callers, type Means } from './callers.ts';
import { openApi } from './openapi.ts';
import { nothingHere, refusedBy, wrongArguments, wrongMethod } from './refused.ts';
import { type Arguments, filled, router } from './router.ts';
import { BASE, DOCUMENT, type Method, type Route, scopeOf } from './routes.ts';

export interface Room extends Pick<Means, 'issuer' | 'presented'> {
  readonly domain: Domain;
}

/** Answers one request at `/admin/api/v1` or below. */
export function requests({ issuer, domain, presented }: Room): (ctx: Context) => Promise<void> {
  const find = router();
  const callerOf = callers({ issuer, domain, presented });
  let document: object | undefined;

  async function answer(ctx: Context, route: Route, inPath: Arguments): Promise<void> {
    // Who asks is looked at when all of it is here: a body may come so slowly that they lose their leave meanwhile.
    const reading = argumentsOf(ctx, route, inPath);
    await Promise.allSettled([reading]);
    const actor = await callerOf(ctx, scopeOf(route));
    const args = await reading;
    const result = await domain.audit.actingAs(actor, () => perform(domain, route.operation, args));
    if (route.made !== undefined) {
      ctx.status = 201;
      ctx.set('Location', `${issuer}${BASE}${filled(route.made, result as Readonly<Record<string, unknown>>)}`);
    }
    ctx.body = route.whole ? { items: result } : result;
  }

  return async (ctx) => {
    const path = ctx.path.slice(BASE.length);
    const method = ctx.method === 'HEAD' ? 'GET' : (ctx.method as Method);
    if (path === DOCUMENT) {
      if (method !== 'GET') throw wrongMethod(allowedBy(['GET']));
      document ??= openApi(issuer);
      ctx.body = document;
      return;
    }
    const place = find(path);
    if (!place) throw nothingHere();
    const route = place.routes.get(method);
    if (!route) throw wrongMethod(allowedBy([...place.routes.keys()]));
    await answer(ctx, route, place.inPath).catch((error: unknown) => {
      throw refusedBy(route, error);
    });
  };
}

const allowedBy = (methods: readonly Method[]): readonly string[] => [
  ...methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])),
  'OPTIONS',
];

/** What the operation takes, from the path, the query and the body; said twice is said wrong. */
async function argumentsOf(ctx: Context, route: Route, inPath: Arguments): Promise<object> {
  const said = route.method === 'GET' ? inQuery(ctx) : await inBody(ctx, route);
  const twice = Object.keys(inPath).find((name) => name in said);
  if (twice !== undefined) throw wrongArguments(`${twice}: is said by the path`);
  return { ...said, ...inPath };
}

/** A query is text: what is a number there is one for the operation. */
const inQuery = ({ query }: Context): object =>
  Object.fromEntries(
    Object.entries(query).map(([name, value]) => [
      name,
      name === 'limit' && typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value,
    ]),
  );

async function inBody(ctx: Context, { method }: Route): Promise<object> {
  if (ctx.querystring) throw wrongArguments('nothing is taken from the query here');
  return method === 'DELETE' || hasNone(ctx) ? {} : readJsonObject(ctx);
}

const hasNone = ({ req: { headers } }: Context): boolean =>
  headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
