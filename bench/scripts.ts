import { type Answer, written } from './connection.ts';

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

/** What one connection sends in a round, and what it makes of the answers. */
interface Step {
  /** The bytes of the request. */
  ask(): string;
  seen?(answer: Answer): void;
}

/** A script as connections go by it. What it remembers goes on in the next load with the same prepared script. */
export interface Prepared {
  /** The steps of one connection more, round after round. */
  begin(): readonly Step[];
  /** Everything that was under way is given up: a load has ended. */
  reset(): void;
}

export function prepare(script: Script): Prepared {
  switch (script.kind) {
    case 'same': {
      const bytes = written(script.method, script.path, script.headers ?? {}, script.body);
      return { begin: () => [{ ask: () => bytes }], reset() {} };
    }
    case 'password':
      return password(script);
    case 'refresh':
      return refresh(script);
    case 'code':
      return code(script);
  }
}

/** Gives each connection one of these for itself. */
function oneEach<T>(all: readonly T[]): { take(): T; reset(): void } {
  let next = all.values();
  return {
    take: () => next.next().value!,
    reset() {
      next = all.values();
    },
  };
}

function password({ authorization, form, usernames }: Script & { kind: 'password' }): Prepared {
  const people = oneEach(usernames);
  const headers = { ...FORM, Authorization: authorization };
  return {
    begin() {
      const body = new URLSearchParams({ grant_type: 'password', username: people.take(), ...form });
      const asking = written('POST', '/token', headers, body.toString());
      return [{ ask: () => asking }];
    },
    reset: people.reset,
  };
}

const REFRESH_TOKEN = /"refresh_token":"([^"]+)"/;

function refresh({ authorization, tokens }: Script & { kind: 'refresh' }): Prepared {
  const chains = oneEach(tokens.map((token) => ({ token })));
  const headers = { ...FORM, Authorization: authorization };
  return {
    begin() {
      const chain = chains.take();
      return [
        {
          ask: () => written('POST', '/token', headers, `grant_type=refresh_token&refresh_token=${chain.token}`),
          seen: ({ body }) => {
            chain.token = REFRESH_TOKEN.exec(body)?.[1] ?? chain.token;
          },
        },
      ];
    },
    reset: chains.reset,
  };
}

const CODE = /\r\nlocation: [^\r]*[?&]code=([^&\r]+)/i;

function code({ authorize, authorization, form, cookies }: Script & { kind: 'code' }): Prepared {
  const visitors = oneEach(cookies);
  const fixed = new URLSearchParams(form).toString();
  const headers = { ...FORM, Authorization: authorization };
  return {
    begin() {
      const asking = written('GET', authorize, { Accept: 'text/html', Cookie: visitors.take() });
      let code = '';
      return [
        {
          ask: () => asking,
          seen: ({ head }) => {
            code = CODE.exec(head)?.[1] ?? '';
          },
        },
        { ask: () => written('POST', '/token', headers, `grant_type=authorization_code&code=${code}&${fixed}`) },
      ];
    },
    reset: visitors.reset,
  };
}
