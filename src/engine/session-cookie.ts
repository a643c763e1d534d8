import { cookieStyle, type createSigner } from '../http/index.ts';

export type SessionCookie = ReturnType<typeof sessionCookie>;

interface Options {
  readonly issuer: string;
  /** The one the engine has. */
  readonly signer: ReturnType<typeof createSigner>;
}

/** As the engine makes them. */
const ID = /^[\w-]{20,100}$/;

/**
 * The cookie by which the engine knows a browser's session, read and written for requests that do not come as far as the
 * engine; test/flows/short-authorization.test.ts compares.
 */
export function sessionCookie({ issuer, signer }: Options) {
  const style = cookieStyle(issuer);
  const name = style.name('session');
  const [value, signature] = [name, `${name}.sig`].map((each) => pattern(each)) as [RegExp, RegExp];
  const attributes = `; path=/; samesite=lax${style.options.secure ? '; secure' : ''}; httponly`;

  return {
    /** The id of the browser's session, where the newest key has signed it: an older signature is the engine's to renew. */
    read(header = ''): string | undefined {
      const id = value.exec(header)?.[1] ?? '';
      const signed = signature.exec(header)?.[1] ?? '';
      return ID.test(id) && signer.index(`${name}=${id}`, signed) === 0 ? id : undefined;
    },

    /** What sets it. @param exp when it ends, in seconds since the epoch; undefined: with the browser */
    written(id: string, exp: number | undefined): readonly [string, string] {
      const rest = exp === undefined ? attributes : `${attributes}; expires=${new Date(exp * 1000).toUTCString()}`;
      const pair = `${name}=${id}`;
      return [`${pair}${rest}`, `${name}.sig=${signer.sign(pair)}${rest}`];
    },
  };
}

/** The first of this name counts, as for the library that reads the engine's cookies. */
const pattern = (name: string): RegExp => new RegExp(`(?:^|;) *${name.replaceAll('.', '\\.')}=([^;]*)`);
