/** The shortest anybody may choose: what is shorter need not be known. */
const SHORTEST = 8;

let known: Promise<ReadonlySet<string>> | undefined;

/**
 * Some 18,000 passwords that people often choose, from the corpora of breaches that zxcvbn learnt from. Loaded when the
 * first password is chosen: it costs some megabytes that a server which only checks passwords need not have.
 */
export function commonPasswords(): Promise<ReadonlySet<string>> {
  known ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set(dictionary['passwords-common'].filter(({ length }) => length >= SHORTEST)),
  );
  return known;
}
