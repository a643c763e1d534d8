/**
 * account: the pages on which people make an account, get back into it, and look after it.
 *
 * It owns what each page asks and shows; what may be done the domain says, and what is mailed as well. A page takes no part
 * in a sign-in: it is told which one it interrupted, and leads back there. Following a link changes nothing, since mail
 * programs follow links too: what a link is good for happens when its form is sent.
 */
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { changeEmailPages } from './change-email.ts';
import type { AccountRoom, Page } from './context.ts';
import { forgotPages } from './forgot.ts';
import { joinPages, welcomePages } from './join.ts';
import { ownPages } from './own/index.ts';
import { resetPages } from './reset.ts';
import { setupPages } from './setup.ts';
import { signUpPages } from './sign-up.ts';
import { verifyEmailPages } from './verify-email.ts';

/** Every page of this room: a new one is one file and one line. */
const PAGES: readonly ((room: AccountRoom) => readonly Page[])[] = [
  forgotPages,
  resetPages,
  signUpPages,
  joinPages,
  welcomePages,
  verifyEmailPages,
  changeEmailPages,
  ownPages,
  setupPages,
];

/** The routes of this room. */
export function accountRoutes(room: AccountRoom): Middleware {
  const router = new Router();
  for (const { path, show, submit } of PAGES.flatMap((pages) => pages(room))) {
    router.get(path, show);
    if (submit) router.post(path, submit);
  }
  return router.routes() as unknown as Middleware;
}
