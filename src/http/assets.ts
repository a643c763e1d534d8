import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import type { Middleware } from 'koa';
import type { Settings } from '../config/index.ts';
import { Refusal } from '../lib/index.ts';
import { accentColours, brandStylesheet } from './accent.ts';

/** Where pages find their assets. */
export interface AssetLinks {
  readonly stylesheet: string;
  /** What pages of operators have beside it. */
  readonly operatorsStylesheet: string;
  readonly brandStylesheet: string;
  readonly logo: string;
  /** What works with scripts, and which, in the order they are to run. */
  readonly scripts: Readonly<Record<'password' | 'passkey', readonly string[]>>;
}

export interface Assets {
  readonly links: AssetLinks;
  /** The operator's logo, where there is one. */
  readonly logo: { readonly type: string; readonly body: Buffer } | undefined;
  /** Answers `/assets/…`, `/favicon.ico` and `/robots.txt`; everything else goes on. */
  readonly middleware: Middleware;
}

interface Asset {
  readonly type: string;
  readonly body: Buffer;
  readonly etag: string;
  readonly cacheControl: string;
}

const FOLDER = new URL('../../views/assets/', import.meta.url);
/** SimpleWebAuthn as its makers built it for browsers. Its package names only its modules, from which this is found. */
const SIMPLE_WEBAUTHN = new URL('../dist/bundle/index.umd.min.js', import.meta.resolve('@simplewebauthn/browser'));
const SCRIPT = 'text/javascript; charset=utf-8';
const FOREVER = 'public, max-age=31536000, immutable';
const A_DAY = 'public, max-age=86400';
const LOGO_BYTES = 512 * 1024;
const SVG = 'image/svg+xml';

/** What a logo may be: a file's first bytes must agree with its name, so that it is served as what it is. */
const LOGO_TYPES: Readonly<Record<string, { type: string; looksRight: (bytes: Buffer) => boolean }>> = {
  '.svg': { type: SVG, looksRight: (bytes) => /<svg[\s>]/i.test(bytes.toString('utf8', 0, 4096)) },
  '.png': { type: 'image/png', looksRight: (bytes) => bytes.toString('latin1', 1, 4) === 'PNG' },
  '.jpg': { type: 'image/jpeg', looksRight: (bytes) => bytes.readUInt16BE(0) === 0xffd8 },
  '.jpeg': { type: 'image/jpeg', looksRight: (bytes) => bytes.readUInt16BE(0) === 0xffd8 },
  '.webp': { type: 'image/webp', looksRight: (bytes) => bytes.toString('latin1', 8, 12) === 'WEBP' },
};

/**
 * Reads all assets into memory. Names carry a digest of the content, so that browsers may keep them for ever.
 * @throws Refusal `logo_unreadable` when the operator's logo cannot be shown.
 */
export function createAssets({ brand }: { readonly brand: Settings['brand'] }): Assets {
  const files = new Map<string, Asset>();

  const publish = (name: string, extension: string, type: string, body: Buffer): string => {
    const asset = assetOf(type, body, FOREVER);
    const path = `/assets/${name}-${asset.etag.slice(1, 13)}${extension}`;
    files.set(path, asset);
    return path;
  };

  const sheet = (name: string): string =>
    publish(name, '.css', 'text/css; charset=utf-8', readFileSync(new URL(`${name}.css`, FOLDER)));

  const logo = brand.logo === undefined ? ownMark(brand.accent) : readLogo(brand.logo);
  const links: AssetLinks = {
    stylesheet: sheet('postern'),
    operatorsStylesheet: sheet('operators'),
    brandStylesheet: publish('brand', '.css', 'text/css; charset=utf-8', Buffer.from(brandStylesheet(brand.accent))),
    logo: publish('logo', logo.extension, logo.type, logo.body),
    scripts: {
      password: [publish('password', '.js', SCRIPT, readFileSync(new URL('password.js', FOLDER)))],
      passkey: [
        publish('simplewebauthn', '.js', SCRIPT, readFileSync(SIMPLE_WEBAUTHN)),
        publish('passkeys', '.js', SCRIPT, readFileSync(new URL('passkeys.js', FOLDER))),
      ],
    },
  };
  files.set('/favicon.ico', assetOf(logo.type, logo.body, A_DAY));
  files.set('/robots.txt', assetOf('text/plain; charset=utf-8', Buffer.from('User-agent: *\nDisallow: /\n'), A_DAY));

  return {
    links,
    logo: brand.logo === undefined ? undefined : { type: logo.type, body: logo.body },
    middleware: serve(files),
  };
}

const assetOf = (type: string, body: Buffer, cacheControl: string): Asset => ({
  type,
  body,
  etag: `"${hash('sha256', body, 'base64url')}"`,
  cacheControl,
});

const serve =
  (files: ReadonlyMap<string, Asset>): Middleware =>
  (ctx, next) => {
    const asset = files.get(ctx.path);
    if (!asset && !ctx.path.startsWith('/assets/')) return next();
    ctx.set('X-Content-Type-Options', 'nosniff');
    if (!asset || !/^(GET|HEAD)$/.test(ctx.method)) {
      ctx.status = 404;
      ctx.set('Cache-Control', 'no-store');
      ctx.body = 'Not found\n';
      return;
    }
    ctx.status = 200;
    ctx.set('Cache-Control', asset.cacheControl);
    ctx.etag = asset.etag;
    // An image tag runs no script of an SVG, but a person who opens its address would: the sandbox forbids it there too.
    if (asset.type === SVG)
      ctx.set('Content-Security-Policy', "sandbox; default-src 'none'; style-src 'unsafe-inline'");
    if (ctx.fresh) {
      ctx.status = 304;
      return;
    }
    ctx.type = asset.type;
    ctx.body = asset.body;
  };

/** Postern's mark, in the operator's colour. */
function ownMark(accent: string) {
  const { surface, onSurface } = accentColours(accent);
  const drawing = readFileSync(new URL('mark.svg', FOLDER), 'utf8')
    .replaceAll('#00f', surface)
    .replaceAll('#fff', onSurface);
  return { extension: '.svg', type: SVG, body: Buffer.from(drawing) };
}

function readLogo(file: string) {
  const refuse = (why: string, cause?: unknown): never => {
    throw new Refusal('logo_unreadable', `brand.logo: ${resolve(file)} ${why}`, { cause });
  };
  const extension = extname(file).toLowerCase();
  const kind = LOGO_TYPES[extension] ?? refuse('is not an SVG, PNG, JPEG or WebP file');
  const body = read(file, refuse);
  if (body.length > LOGO_BYTES) refuse(`is larger than ${LOGO_BYTES / 1024} KiB`);
  if (body.length < 16 || !kind.looksRight(body)) refuse(`does not hold what its name says (${kind.type})`);
  return { extension, type: kind.type, body };
}

function read(file: string, refuse: (why: string, cause: unknown) => never): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    return refuse(`cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
}
