import type { Context } from 'koa';
import type { Form, Trail } from '../http/index.ts';

const NAME = /^[\w-]{1,64}$/;
const LOCALES = /^[\w -]{1,100}$/;

/** Where somebody came from, as a link or a form brought it; what is none is left out. The page's language follows it. */
export function trailOf(ctx: Context, fields: Form | Context['query'] = ctx.query): Trail {
  const { interaction, ui_locales: locales } = fields;
  const trail = {
    ...(typeof interaction === 'string' && NAME.test(interaction) && { interaction }),
    ...(typeof locales === 'string' && LOCALES.test(locales) && { ui_locales: locales }),
  };
  ctx.state['uiLocales'] = trail.ui_locales;
  return trail;
}

/** A path of ours that the trail goes on from. */
export function along(path: string, { interaction, ui_locales: locales }: Trail): string {
  const parameters = new URLSearchParams({
    ...(interaction && { interaction }),
    ...(locales && { ui_locales: locales }),
  });
  return parameters.size > 0 ? `${path}?${parameters}` : path;
}

/** The sign-in that was interrupted; undefined where there was none. */
export const signInOf = ({ interaction }: Trail): string | undefined => interaction && `/interaction/${interaction}`;
