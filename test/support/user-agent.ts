/** A browser without a window: keeps cookies by their paths, follows redirects within the server, fills in forms. */
export interface Answer {
  readonly status: number;
  readonly url: string;
  readonly html: string;
  readonly headers: Headers;
  /** `data-page` of the page that was shown. */
  readonly page: string | undefined;
  /** Where it was sent when that is not this server. */
  readonly left?: URL;
}

interface Cookie {
  readonly value: string;
  readonly path: string;
}

const unescaped = (text: string): string =>
  text.replace(
    /&(amp|lt|gt|quot|#39|#x27);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name] ?? "'",
  );

const attribute = (tag: string, name: string): string | undefined => {
  const found = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
  return found === undefined ? undefined : unescaped(found);
};

/** What a screen reader says. */
const textOf = (html = ''): string =>
  unescaped(html.replace(/<(\w+)[^>]*aria-hidden="true"[^>]*>[\s\S]*?<\/\1>/g, '').replace(/<[^>]*>/g, '')).trim();

export class UserAgent {
  readonly cookies = new Map<string, Cookie>();
  /** Every address it went to. */
  readonly visited: string[] = [];
  readonly origin: string;
  readonly headers: Record<string, string>;
  /** The server that a balancer in front would choose; `origin` itself where unset. */
  through: string | undefined;
  /** Where it does not follow: somebody clicked again, and the browser is on its way elsewhere. */
  stopsBefore: string | undefined;

  constructor(origin: string, headers: Record<string, string> = {}) {
    this.origin = origin;
    this.headers = headers;
  }

  /**
   * Another browser, in which a page of a sibling domain planted what this one has. Ours for `/` it cannot: on https they
   * are `__Host-`.
   */
  planted(): UserAgent {
    const other = new UserAgent(this.origin, this.headers);
    for (const [name, cookie] of this.cookies) if (cookie.path !== '/') other.cookies.set(name, cookie);
    return other;
  }

  /** The same browser's other tab: the cookie jar is shared. */
  get(url: string | URL): Promise<Answer> {
    return this.#go(new URL(url, this.origin), { method: 'GET' });
  }

  /** Sends the page's form with what it holds and what is given, to where the pressed button sends it. */
  submit(answer: Answer, fields: Record<string, string>, button?: { name: string; value: string }): Promise<Answer> {
    const form = /<form[^>]*>/.exec(answer.html)?.[0] ?? '';
    const hidden = [...answer.html.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([tag]) => [
      attribute(tag, 'name') ?? '',
      attribute(tag, 'value') ?? '',
    ]);
    const body = new URLSearchParams({
      ...Object.fromEntries(hidden),
      ...fields,
      ...(button && { [button.name]: button.value }),
    });
    const pressed = [...answer.html.matchAll(/<button[^>]*>/g)]
      .map(([tag]) => tag)
      .find((tag) => button && attribute(tag, 'name') === button.name && attribute(tag, 'value') === button.value);
    const action = (pressed && attribute(pressed, 'formaction')) ?? attribute(form, 'action') ?? answer.url;
    return this.post(new URL(action, answer.url), body);
  }

  /**
   * Presses the first button that says this, in whichever form it is.
   * @param near a text the form holds
   */
  press(answer: Answer, says: string, fields: Record<string, string> = {}, near = ''): Promise<Answer> {
    for (const [html] of answer.html.matchAll(/<form[\s\S]*?<\/form>/g)) {
      const button = [...html.matchAll(/<button[^>]*>([\s\S]*?)<\/button>/g)].find(([, inside]) =>
        textOf(inside).startsWith(says),
      );
      if (!button || !html.includes(near)) continue;
      const name = attribute(button[0], 'name');
      const value = attribute(button[0], 'value') ?? '';
      return this.submit({ ...answer, html }, fields, name ? { name, value } : undefined);
    }
    throw new Error(`no button says ${says} on ${answer.page} (${answer.url})`);
  }

  post(url: string | URL, body: URLSearchParams): Promise<Answer> {
    return this.#go(new URL(url, this.origin), { method: 'POST', body });
  }

  cookieHeader(path: string): string {
    return [...this.cookies]
      .filter(
        ([, cookie]) =>
          path === cookie.path || path.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`),
      )
      .map(([key, { value }]) => `${key.split(' ')[0]}=${value}`)
      .join('; ');
  }

  async #go(url: URL, init: { method: string; body?: URLSearchParams }, hops = 0): Promise<Answer> {
    this.visited.push(url.href);
    const response = await fetch(this.through ? new URL(url.pathname + url.search, this.through) : url, {
      ...init,
      redirect: 'manual',
      headers: { accept: 'text/html', ...this.headers, cookie: this.cookieHeader(url.pathname) },
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line, url.pathname);
    const location = response.headers.get('location');
    if (location) {
      await response.arrayBuffer();
      const next = new URL(location, url);
      if (next.origin !== this.origin || (this.stopsBefore && next.pathname.startsWith(this.stopsBefore)))
        return {
          status: response.status,
          url: url.href,
          html: '',
          headers: response.headers,
          page: undefined,
          left: next,
        };
      if (hops > 10) throw new Error(`redirected in circles at ${next.href}`);
      // What the other tab was answered before is in the jar by then, however late both are read.
      if (response.status === 307) await new Promise(setImmediate);
      // A 307 repeats a form as it was (RFC 9110 §15.4.8).
      return this.#go(next, response.status === 307 ? init : { method: 'GET' }, hops + 1);
    }
    const html = await response.text();
    return {
      status: response.status,
      url: url.href,
      html,
      headers: response.headers,
      page: /data-page="([^"]*)"/.exec(html)?.[1],
    };
  }

  #keep(line: string, requested: string): void {
    const [pair = '', ...attributes] = line.split(/;\s*/);
    const name = pair.slice(0, pair.indexOf('='));
    const named = Object.fromEntries(attributes.map((text) => [text.split('=')[0]?.toLowerCase(), text.split('=')[1]]));
    const path = named['path'] ?? requested.slice(0, requested.lastIndexOf('/') || 1);
    const key = `${name} ${path}`;
    const gone = named['expires'] !== undefined && Date.parse(line.split(/expires=/i)[1]?.split(';')[0] ?? '') <= 0;
    if (gone) this.cookies.delete(key);
    else this.cookies.set(key, { value: pair.slice(pair.indexOf('=') + 1), path });
  }
}
