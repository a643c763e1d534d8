import type { Request } from 'autocannon';

/** What each connection of a load sends, again and again. */
export type Script =
  | {
      readonly kind: 'same';
      readonly method: 'GET' | 'POST';
      readonly path: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The password grant, each connection for a person of its own. */
  | {
      readonly kind: 'password';
      readonly authorization: string;
      readonly form: Readonly<Record<string, string>>;
      readonly usernames: readonly string[];
    }
  /** A refresh with the token the last one gave. */
  | { readonly kind: 'refresh'; readonly authorization: string; readonly tokens: readonly string[] }
  /** Signed in already: to /authorize, and with the code to /token. */
  | {
      readonly kind: 'code';
      readonly authorize: string;
      readonly authorization: string;
      readonly form: Readonly<Record<string, string>>;
      readonly cookies: readonly string[];
    };

export const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };

const REFRESH_TOKEN = /"refresh_token":"([^"]+)"/;

/** A script as autocannon takes it. What it remembers goes on in the next load with the same prepared script. */
export interface Prepared {
  readonly requests: Request[];
  /** Everything that was under way is given up: a load has ended. */
  reset(): void;
}

/** One of many things of which each is used by one connection at a time. */
interface Turn {
  token: string;
}

export function prepare(script: Script): Prepared {
  switch (script.kind) {
    case 'same': {
      const { method, path, headers = {}, body } = script;
      return { requests: [{ method, path, headers, ...(body !== undefined && { body }) }], reset() {} };
    }
    case 'password':
      return password(script);
    case 'refresh':
      return refresh(script);
    case 'code':
      return code(script);
  }
}

function password({ authorization, form, usernames }: Script & { kind: 'password' }): Prepared {
  const headers = { ...FORM, Authorization: authorization };
  const bodies = usernames.map((username) => `${new URLSearchParams({ grant_type: 'password', username, ...form })}`);
  let next = 0;
  return {
    requests: [
      {
        method: 'POST',
        path: '/token',
        headers,
        setupRequest: (request, context: { body?: string }) => {
          context.body ??= bodies[next++ % bodies.length]!;
          return { ...request, body: context.body };
        },
      },
    ],
    reset() {},
  };
}

function refresh({ authorization, tokens }: Script & { kind: 'refresh' }): Prepared {
  const chains: Turn[] = tokens.map((token) => ({ token }));
  let free = [...chains];
  return {
    requests: [
      {
        method: 'POST',
        path: '/token',
        headers: { ...FORM, Authorization: authorization },
        setupRequest: (request, context: { chain?: Turn }) => {
          context.chain = free.pop()!;
          return { ...request, body: `grant_type=refresh_token&refresh_token=${context.chain.token}` };
        },
        onResponse: (_status, body, context: { chain?: Turn }) => {
          const { chain } = context;
          if (!chain) return;
          chain.token = REFRESH_TOKEN.exec(body)?.[1] ?? chain.token;
          free.push(chain);
        },
      },
    ],
    // An answer that was not waited for is given again to whoever repeats the request.
    reset() {
      free = [...chains];
    },
  };
}

function code({ authorize, authorization, form, cookies }: Script & { kind: 'code' }): Prepared {
  const visitors: Turn[] = cookies.map((token) => ({ token }));
  let free = [...visitors];
  const fixed = new URLSearchParams(form).toString();
  return {
    requests: [
      {
        method: 'GET',
        path: authorize,
        setupRequest: (request, context: { visitor?: Turn }) => {
          context.visitor = free.pop()!;
          return { ...request, headers: { Accept: 'text/html', Cookie: context.visitor.token } };
        },
        onResponse: (_status, _body, context: { code?: string }, headers) => {
          const location = String((headers as Record<string, unknown>)?.['Location'] ?? '');
          context.code = /[?&]code=([^&]+)/.exec(location)?.[1] ?? '';
        },
      },
      {
        method: 'POST',
        path: '/token',
        headers: { ...FORM, Authorization: authorization },
        setupRequest: (request, context: { code?: string }) => ({
          ...request,
          body: `grant_type=authorization_code&code=${context.code}&${fixed}`,
        }),
        onResponse: (_status, _body, context: { visitor?: Turn }) => {
          if (context.visitor) free.push(context.visitor);
        },
      },
    ] as Request[],
    reset() {
      free = [...visitors];
    },
  };
}
