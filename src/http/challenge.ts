/** A challenge of `WWW-Authenticate` (RFC 9110 §11.6.1). What is said in it is ASCII, without a quotation mark. */
export const challenge = (scheme: 'Bearer' | 'DPoP', said: Readonly<Record<string, string | undefined>>): string =>
  `${scheme} ${Object.entries(said)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ')}`;
