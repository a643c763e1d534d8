import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import type { Settings } from '../config/index.ts';
import {
  atDate,
  counted,
  directionOf,
  inMinutes,
  isMessageKey,
  type Locale,
  type MessageKey,
  type MessagePart,
  message,
  messageParts,
  pickLocale,
  plain,
} from '../words/index.ts';
import type { AccountPages } from './account-pages.ts';
import type { AdminPages } from './admin-pages.ts';
import { type AssetLinks, type Assets, createAssets } from './assets.ts';
import { allowOwnScripts } from './headers.ts';
import type { MailedPages } from './mailed-pages.ts';
import { qrPath } from './qr.ts';

/** An application as a person meets it. */
interface ClientShown {
  readonly name: string;
}

/** One that people sign in to. `host` is where they return to; undefined where they go on at a device. */
interface ClientAsking extends ClientShown {
  readonly host: string | undefined;
}

/** Reasons that have a sentence in every language, `error.reason.…`. */
export type ErrorReason =
  Extract<MessageKey, `error.reason.${string}`> extends `error.reason.${infer Reason}` ? Reason : never;

/** Options of a WebAuthn ceremony as JSON (WebAuthn Level 3 §5.1.8, §5.1.9). */
type PasskeyOptions = object;

/** What the pages about a second factor have in common. */
interface FactorForm {
  readonly action: string;
  readonly csrf: string;
  readonly person: { readonly email: string };
  readonly client?: ClientAsking | undefined;
}

/** Why an upstream signed nobody in, `login.error.upstream.…`. */
type UpstreamProblem =
  Extract<MessageKey, `login.error.upstream.${string}`> extends `login.error.upstream.${infer Problem}`
    ? Problem
    : never;

/** Every page there is and what its view takes. All texts are plain; the view escapes them. */
export interface PageData extends AccountPages, AdminPages, MailedPages {
  readonly login: {
    readonly action: string;
    readonly csrf: string;
    /** As typed before, or from `login_hint`; '' when nothing is known. */
    readonly email: string;
    /** They said that the browser is to forget them: an answer once given stays given. */
    readonly forgetful?: boolean | undefined;
    /** `tooMany` is the wait in minutes. */
    readonly error?:
      | 'wrong'
      | 'passkey'
      | 'busy'
      | { readonly tooMany: number }
      /** Signing in by it failed; `id` is for `postern explain`. */
      | { readonly upstream: string; readonly reason: UpstreamProblem; readonly id: string }
      | undefined;
    /** Other ways in. */
    readonly upstreams?:
      | { readonly action: string; readonly offered: readonly { readonly id: string; readonly name: string }[] }
      | undefined;
    /** Somebody came back from an upstream whom nobody here knows: whoever signs in now may link the two. */
    readonly linking?: { readonly upstream: string; readonly label?: string | undefined } | undefined;
    readonly client?: ClientAsking | undefined;
    /** Somebody is signed in and asked for another account. */
    readonly otherAccount?: boolean | undefined;
    /** What the browser asks a passkey with; absent where there can be none. */
    readonly passkey?: PasskeyOptions | undefined;
    /** Offer the way back to the application, `decision=deny`. */
    readonly cancel?: boolean | undefined;
    /** For who has forgotten the password. */
    readonly forgot?: string | undefined;
    /** For who is new: where to sign up, or that accounts are by invitation. */
    readonly newcomers?: { readonly signUp: string } | 'invitation' | undefined;
  };
  /** Which of them is it? `person` = an id, or '' for anybody else; `decision` = `deny` | `forget`. */
  readonly choose: {
    readonly action: string;
    readonly csrf: string;
    readonly client: ClientAsking;
    readonly people: readonly {
      readonly id: string;
      readonly email: string;
      readonly name?: string | undefined;
      readonly signedIn: boolean;
    }[];
  };
  readonly 'second-factor': FactorForm & {
    /** What the person can prove it with. */
    readonly kinds: readonly string[];
    /** A mailed code is on its way. */
    readonly mailed?: boolean | undefined;
    readonly passkey?: PasskeyOptions | undefined;
    readonly error?: PageData['login']['error'];
  };
  readonly enrol: FactorForm & {
    readonly passkey?: PasskeyOptions | undefined;
    /** An authenticator app: absent where a code would not do. */
    readonly totp?: { readonly enrolment: string; readonly secret: string; readonly uri: string } | undefined;
    readonly error?: 'wrong' | 'passkey' | 'over' | 'taken' | 'full' | 'name' | undefined;
  };
  readonly 'recovery-codes': {
    readonly action: string;
    readonly csrf: string;
    readonly codes: readonly string[];
    /** Names these codes when the form comes back. */
    readonly set: string;
  };
  /** Is whoever came back from the upstream the person who has just signed in? `decision` = `link` | `skip`. */
  readonly link: {
    readonly action: string;
    readonly csrf: string;
    readonly person: { readonly email: string };
    readonly upstream: { readonly name: string; readonly label?: string | undefined };
  };
  readonly consent: {
    readonly action: string;
    readonly csrf: string;
    readonly person: { readonly email: string; readonly name?: string | undefined };
    /** All that is asked, in one line: it comes back with the answer. */
    readonly told: string;
    /** `unknown`: it registered itself, and nobody vouches for it. */
    readonly client: ClientAsking & { readonly unknown?: boolean };
    readonly scopes: readonly string[];
    readonly resources: readonly { readonly name: string; readonly uri: string; readonly scopes: readonly string[] }[];
    /** Nothing was ever allowed to this application. */
    readonly firstTime: boolean;
  };
  /** Somebody types the code that a device shows (`user_code`); `code` as typed before, or brought by the address. */
  readonly device: {
    readonly action: string;
    readonly csrf: string;
    readonly code: string;
    readonly error?: 'wrong' | { readonly tooMany: number } | undefined;
  };
  /** What came of it; `again` is where to type another. */
  readonly 'device-done': { readonly what: 'allowed' | 'denied' | 'failed' | 'over'; readonly again: string };
  /** What was asked here is answered; `again` asks it once more. */
  readonly answered: { readonly client: ClientShown; readonly again: string };
  readonly error: {
    readonly reason: ErrorReason;
    readonly id: string;
    /** Where trying again may help; same origin or http(s). */
    readonly retry?: string | undefined;
  };
  readonly logout: {
    readonly action: string;
    /** Hidden fields, such as the engine's `xsrf`. */
    readonly fields: Readonly<Record<string, string>>;
    readonly person?: { readonly email: string } | undefined;
    readonly client?: ClientShown | undefined;
  };
  readonly 'signed-out': Readonly<Record<never, never>>;
  readonly home: { readonly issuer: string };
  readonly 'not-found': Readonly<Record<never, never>>;
}

export type PageName = keyof PageData;

/** What {@link Pages.show} needs of a Koa context, so that the engine's contexts fit as well. */
export interface PageContext {
  readonly state: { uiLocales?: unknown };
  status: number;
  type: string;
  body: unknown;
  readonly response: { get(field: string): string };
  acceptsLanguages(): string[];
  set(field: string, value: string): void;
  vary(field: string): void;
}

export interface Pages {
  /** The page as one HTML document. */
  render<P extends PageName>(page: P, data: PageData[P], locale: Locale): string;
  /**
   * Answers with the page, in the language of `ctx.state.uiLocales` or Accept-Language, never cached. Where the page has
   * scripts, our own may run: no caller can forget it.
   */
  show<P extends PageName>(ctx: PageContext, page: P, data: PageData[P], status?: number): void;
  /** The language the page for this request is in. */
  localeOf(ctx: PageContext): Locale;
}

interface PagesOptions {
  readonly brand: Settings['brand'];
  readonly viewsFolder?: URL | string;
  /** What the pages link to; read from `brand` unless given. */
  readonly assets?: Assets;
}

/** What on a page works with a script. */
type Scripted = keyof AssetLinks['scripts'];

const VIEWS = new URL('../../views/', import.meta.url);

/** Every view, compiled once, escaped by default. */
export function createPages({ brand, viewsFolder = VIEWS, assets = createAssets({ brand }) }: PagesOptions): Pages {
  const eta = new Eta({
    views: viewsFolder instanceof URL ? fileURLToPath(viewsFolder) : viewsFolder,
    cache: true,
    autoEscape: true,
  });

  /** @param scripts what its partials say that they work with */
  const draw = <P extends PageName>(
    page: P,
    data: PageData[P],
    locale: Locale,
    scripts = new Set<Scripted>(),
  ): string => eta.render(page, { ...data, page, brand, links: assets.links, scripts, ...words(locale) });

  const localeOf = (ctx: PageContext): Locale => pickLocale(ctx.state.uiLocales, () => ctx.acceptsLanguages());

  return {
    render: (page, data, locale) => draw(page, data, locale),
    localeOf,
    show(ctx, page, data, status = 200) {
      const locale = localeOf(ctx);
      ctx.status = status;
      ctx.type = 'html';
      ctx.set('Cache-Control', 'no-store');
      ctx.set('Content-Language', locale);
      ctx.vary('Accept-Language');
      const scripts = new Set<Scripted>();
      ctx.body = draw(page, data, locale, scripts);
      if (scripts.size > 0) allowOwnScripts(ctx);
    },
  };
}

/** What views say things with. */
const words = (locale: Locale) => ({
  lang: locale,
  dir: directionOf(locale),
  /** A message as text. */
  t: (key: MessageKey, values?: Record<string, string>) => message(locale, key, values),
  /** A message in pieces, for `partials/sentence`. */
  parts: (key: MessageKey, values?: Record<string, string>) => messageParts(locale, key, values),
  hasMessage: isMessageKey,
  qr: qrPath,
  scope: (scope: string, known: Record<string, string | undefined>) => describe(locale, scope, known),
  minutes: (n: number) => inMinutes(locale, n),
  date: (at: number) => atDate(locale, at),
  count: (key: string, n: number) => counted(locale, key, n),
  plain,
  initial,
  href,
});

/** What stands for a name in a small square: its first letter, whatever alphabet it is from. */
const initial = (name: string): string =>
  new Intl.Segmenter().segment(plain(name).trim())[Symbol.iterator]().next().value?.segment.toUpperCase() ?? '';

/** The words for a scope; `known` are the person's own values, shown in place of the general detail. */
function describe(
  locale: Locale,
  scope: string,
  known: Record<string, string | undefined>,
): { title: MessagePart[]; detail?: string | undefined } {
  const key = `scope.${scope}`;
  if (scope === 'unknown' || scope.includes('.') || !isMessageKey(key))
    return { title: messageParts(locale, 'scope.unknown', { scope }) };
  const detail = `${key}.detail`;
  return {
    title: messageParts(locale, key),
    detail: known[scope] ?? (isMessageKey(detail) ? message(locale, detail) : undefined),
  };
}

/** Stands for this server while an address is read: a name nobody can own (RFC 6761 §6.4). */
const HERE = 'https://here.invalid';

/** The address if a click on it is harmless: http(s), or a path of this server. Anything else (`javascript:`) is none. */
function href(address: string | undefined): string | undefined {
  const url = URL.parse(address ?? '', HERE);
  if (!address || !url || !/^https?:$/.test(url.protocol)) return undefined;
  return url.origin === HERE ? `${url.pathname}${url.search}${url.hash}` : url.href;
}
