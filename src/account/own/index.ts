/**
 * own: the pages of somebody's own account, which nobody else may open.
 *
 * A page never asks for a password itself but sends the browser to sign in, as any application would, so that a second
 * factor, guess limits and whatever else belongs to signing in hold here too. A page more is one file, one line here, and
 * one view.
 */
import type { Context } from 'koa';
import { OWN_CALLBACK } from '../../engine/index.ts';
import { sendOn } from '../../http/index.ts';
import type { Page } from '../context.ts';
import { applicationsPage } from './applications.ts';
import { dataPage, exportPage } from './data.ts';
import { emailPage } from './email.ts';
import { eventsPage } from './events.ts';
import { factorsPage } from './factors.ts';
import { linkedPage } from './linked.ts';
import { passkeyPage, recoveryCodesPage, totpPage } from './new-factors.ts';
import { overviewPage } from './overview.ts';
import { type OwnPage, type OwnRoom, ownPage } from './own.ts';
import { passwordPage } from './password.ts';
import { profilePage } from './profile.ts';
import { sessionsPage } from './sessions.ts';

export type { OwnRoom } from './own.ts';

const OWN_PAGES: readonly ((room: OwnRoom) => OwnPage)[] = [
  overviewPage,
  profilePage,
  emailPage,
  passwordPage,
  factorsPage,
  totpPage,
  passkeyPage,
  recoveryCodesPage,
  linkedPage,
  sessionsPage,
  applicationsPage,
  eventsPage,
  dataPage,
  exportPage,
];

/** The pages, the address that signing in returns to, and what is left when there is no account any more. */
export function ownPages(room: OwnRoom): readonly Page[] {
  const pages = OWN_PAGES.map((page) => ownPage(room, page(room)));
  const paths = new Set(pages.map(({ path }) => path));
  return [
    ...pages,
    { path: OWN_CALLBACK, show: async (ctx) => backFromSigningIn(ctx, paths) },
    { path: '/account/deleted', show: async (ctx) => room.pages.show(ctx, 'account-deleted', {}) },
  ];
}

/** Somebody has signed in, or would not: on to the page they wanted, or to the door. The code is of no use to anybody. */
function backFromSigningIn(ctx: Context, paths: ReadonlySet<string>): void {
  const { state, error } = ctx.query;
  const wanted = state ? `/account/${state}` : '/account';
  sendOn(ctx, error !== undefined || !paths.has(wanted) ? '/' : wanted);
}
