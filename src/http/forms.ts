import type { Context } from 'koa';
import { HttpRefusal } from './refusals.ts';

/** Bytes of a whole form, fields in it, and bytes of one field: far above any form of ours. */
export const FORM_LIMITS = { bytes: 16 * 1024, fields: 32, fieldBytes: 4 * 1024 } as const;
/** The same of a form that holds lists, such as every redirect URI of an application: as much as limits.ts lets in. */
export const LIST_FORM_LIMITS: FormLimits = { ...FORM_LIMITS, bytes: 56 * 1024, fieldBytes: 32 * 1024 };

type FormLimits = { readonly [Limit in keyof typeof FORM_LIMITS]: number };

/** The fields of a form by name, each given once. Frozen, and without a prototype: `form.constructor` is nobody's. */
export type Form = Readonly<Record<string, string>>;

/** What a form holds, its own token among it: the same only where it is sent twice. */
export const formOf = (fields: Form): string => JSON.stringify(Object.entries(fields).toSorted());

const TYPE = /^application\/x-www-form-urlencoded\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/**
 * Reads the body of one of our own forms. The engine reads the bodies of its endpoints itself.
 * @throws HttpRefusal 415, 413 or 400, naming the fault.
 */
export const readForm = async (ctx: Pick<Context, 'req'>, limits: FormLimits = FORM_LIMITS): Promise<Form> =>
  parseForm(await readChecked(ctx, limits), limits);

/** {@link readForm} for a form that is another's to judge: its fields in their order, some perhaps doubled or long. */
export const readFields = async (ctx: Pick<Context, 'req'>): Promise<URLSearchParams> =>
  new URLSearchParams(
    parseFields(await readChecked(ctx, FORM_LIMITS), { ...FORM_LIMITS, fieldBytes: FORM_LIMITS.bytes }),
  );

async function readChecked(ctx: Pick<Context, 'req'>, { bytes }: FormLimits): Promise<Buffer> {
  const { headers } = ctx.req;
  if (!TYPE.test(headers['content-type']?.trim() ?? ''))
    throw new HttpRefusal('unsupported_form', 'A form must be sent as application/x-www-form-urlencoded, in UTF-8.', {
      status: 415,
    });
  if (headers['content-encoding'] !== undefined)
    throw new HttpRefusal('unsupported_form', 'A form must be sent without compression.', { status: 415 });
  const refused = () => tooLarge(bytes);
  if (Number(headers['content-length'] ?? 0) > bytes) throw refused();
  return readBody(ctx.req, bytes, refused);
}

/** All of a body of at most so many bytes. @throws what `tooLarge` gives where there are more */
export async function readBody(req: Context['req'], most: number, tooLarge: () => Error): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Not destroyed when we stop early: the answer still has to leave through this socket. Node discards the rest.
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > most) throw tooLarge();
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks, size);
}

/**
 * @throws HttpRefusal 400 for bytes that are no text, broken escapes, NUL, doubled, nameless or oversized fields, or too
 * many of them.
 */
export function parseForm(body: Uint8Array, limits: FormLimits = FORM_LIMITS): Form {
  const form: Record<string, string> = Object.create(null);
  for (const [name, value] of parseFields(body, limits)) {
    if (name in form) throw bad('A field of the form was sent twice.');
    form[name] = value;
  }
  return Object.freeze(form);
}

function parseFields(body: Uint8Array, { fields, fieldBytes }: FormLimits): [name: string, value: string][] {
  const parts = decode(() => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body))
    .split('&')
    .filter(Boolean);
  if (parts.length > fields) throw bad(`The form has more than ${fields} fields.`);
  return parts.map((part) => {
    const at = part.indexOf('=');
    const name = unquote(at < 0 ? part : part.slice(0, at));
    const value = at < 0 ? '' : unquote(part.slice(at + 1));
    if (name === '' || Buffer.byteLength(name) > 64) throw bad('A field of the form has no usable name.');
    if (Buffer.byteLength(value) > fieldBytes) throw bad('A field of the form is too long.');
    return [name, value];
  });
}

function unquote(text: string): string {
  const plain = decode(() => decodeURIComponent(text.replaceAll('+', ' ')));
  if (plain.includes('\0')) throw bad('The form contains a NUL character.');
  return plain;
}

function decode(read: () => string): string {
  try {
    return read();
  } catch (cause) {
    throw bad('The form is not valid UTF-8 text.', cause);
  }
}

const tooLarge = (bytes: number) =>
  new HttpRefusal('form_too_large', `A form may have at most ${bytes} bytes.`, {
    status: 413,
    reason: 'tooLarge',
  });

const bad = (sentence: string, cause?: unknown) => new HttpRefusal('bad_form', sentence, { status: 400, cause });
