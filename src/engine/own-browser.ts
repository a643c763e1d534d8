import type { Context } from 'koa';
import type { BrowserMark } from '../http/index.ts';
import { sha256 } from '../lib/index.ts';
import type { Stored } from './proofs.ts';

export type OwnBrowser = ReturnType<typeof createOwnBrowser>;

/**
 * That an interaction goes on in the browser in which its person proved who they are. The cookies that it goes by cannot be
 * `__Host-`: a page of a sibling domain can plant its own in somebody's browser, or finish there what it began here. The
 * browser's mark can be, and a digest of it is kept with what was proven.
 */
export function createOwnBrowser(mark: BrowserMark) {
  /** Undefined for a browser without a mark. */
  function known(ctx: Context): string | undefined {
    const id = mark.read(ctx);
    return id && sha256(id);
  }

  return {
    known,

    /** One without a mark is given one: with the page, so that the form's second click finds what the first one found. */
    of: (ctx: Context): string => sha256(mark.id(ctx)),

    /** Whether what was proven was proven in another browser than this. */
    isAnothers(ctx: Context, result: Stored['result']): boolean {
      const { login, proven, browser } = result ?? {};
      return (login !== undefined || proven !== undefined) && (browser === undefined || browser !== known(ctx));
    },
  };
}
