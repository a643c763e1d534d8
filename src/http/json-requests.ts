import type { Context } from 'koa';
import { FORM_LIMITS, readBody } from './forms.ts';
import { HttpRefusal } from './refusals.ts';

/** What a program sent, by its names; nothing in it has been looked at. */
export type JsonObject = Readonly<Record<string, unknown>>;

const TYPE = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/**
 * Reads the body of a request that is one JSON object, as large as a form of ours at most: it may be kept.
 * @param error the OAuth error code of a body that is none
 * @throws HttpRefusal 415, 413 or 400
 */
export async function readJsonObject(ctx: Pick<Context, 'req'>, error = 'invalid_request'): Promise<JsonObject> {
  const { headers } = ctx.req;
  if (!TYPE.test(headers['content-type']?.trim() ?? '') || headers['content-encoding'] !== undefined)
    throw new HttpRefusal('unsupported_json', 'The body must be sent as application/json, in UTF-8, uncompressed.', {
      status: 415,
      error,
    });
  const body = await readBody(ctx.req, FORM_LIMITS.bytes, tooLarge);
  const value = parsed(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new HttpRefusal('bad_json', 'The body must be one JSON object.', { status: 400, error });
  // Without a prototype: `metadata.constructor` is nobody's.
  return Object.freeze(Object.assign(Object.create(null), value));
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

const tooLarge = () =>
  new HttpRefusal('body_too_large', `A request body may have at most ${FORM_LIMITS.bytes} bytes.`, {
    status: 413,
    reason: 'tooLarge',
  });
