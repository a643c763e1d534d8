/**
 * The pages of operators. A page more is one file, one line here, one view, and its address in `http/endpoints.ts`.
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { OPERATORS_CALLBACK } from '../../engine/index.ts';
import { sendOn } from '../../http/index.ts';
import { apiPage } from './api.ts';
import { newApiPage } from './api-new.ts';
import { removeApiPage } from './api-remove.ts';
import { apisPage } from './apis.ts';
import { applicationPage } from './application.ts';
import { newApplicationPage } from './application-new.ts';
import { removeApplicationPage } from './application-remove.ts';
import { applicationsPage } from './applications.ts';
import { eventsPage } from './events.ts';
import { explainPage } from './explain.ts';
import { keysPage } from './keys.ts';
import { type OperatorPage, type OperatorRoom, operatorPage } from './operator.ts';
import { overviewPage } from './overview.ts';
import { peoplePage } from './people.ts';
import { personPage } from './person.ts';
import { editPersonPage } from './person-edit.ts';
import { newPersonPage } from './person-new.ts';
import { removePersonPage } from './person-remove.ts';
import { upstreamPage } from './upstream.ts';
import { newUpstreamPage } from './upstream-new.ts';
import { removeUpstreamPage } from './upstream-remove.ts';
import { upstreamsPage } from './upstreams.ts';

export type { OperatorRoom } from './operator.ts';

/** The first whose path fits is shown. */
const PAGES: readonly ((room: OperatorRoom) => OperatorPage)[] = [
  overviewPage,
  peoplePage,
  newPersonPage,
  personPage,
  editPersonPage,
  removePersonPage,
  applicationsPage,
  newApplicationPage,
  applicationPage,
  removeApplicationPage,
  apisPage,
  newApiPage,
  apiPage,
  removeApiPage,
  upstreamsPage,
  newUpstreamPage,
  upstreamPage,
  removeUpstreamPage,
  keysPage,
  eventsPage,
  explainPage,
];

/** The pages, and the address that signing in returns to. */
export function operatorPages(room: OperatorRoom): Middleware {
  const router = new Router();
  for (const { path, show, submit } of PAGES.map((page) => operatorPage(room, page(room)))) {
    router.get(path, show);
    router.post(path, submit);
  }
  const isPage = (path: string): boolean => router.match(path, 'GET').route;
  const whole = new Router().use(router.routes());
  whole.get(OPERATORS_CALLBACK, (ctx) => backFromSigningIn(ctx, isPage));
  return whole.routes() as unknown as Middleware;
}

/** Stands for this server while an address is read: a name nobody can own (RFC 6761 §6.4). */
const HERE = 'https://here.invalid';

/** Somebody has signed in, or would not: on to the page they wanted, or to the door. The code is of no use to anybody. */
function backFromSigningIn(ctx: Context, isPage: (path: string) => boolean): void {
  const { state, error } = ctx.query;
  const url = typeof state === 'string' ? URL.parse(state, HERE) : null;
  const wanted = url?.origin === HERE && isPage(url.pathname) ? url.pathname + url.search : undefined;
  sendOn(ctx, error !== undefined || wanted === undefined ? '/' : wanted);
}
