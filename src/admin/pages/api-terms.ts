import type { Domain, RegisteredResource } from '../../domain/index.ts';
import type { Form } from '../../http/index.ts';
import { inSeconds, parseDuration, Refusal, seconds } from '../../lib/index.ts';

/** Where an API is looked after: its URI as one part of a path, since proxies change what is escaped in one. */
export const addressOfApi = (uri: string): string => `apis/${Buffer.from(uri).toString('base64url')}`;

/** The API that an address names. */
export const apiAt = (domain: Pick<Domain, 'resources'>, part: string): Promise<RegisteredResource | undefined> =>
  domain.resources.get(Buffer.from(part, 'base64url').toString().toWellFormed().replaceAll('\0', ''));

/** What an operator decides about an API, as an operation takes it. @throws Refusal `ttl_invalid` */
export function apiTermsIn({ name, scopes, ttl, revocable }: ReturnType<typeof apiFields>) {
  const duration = parseDuration(ttl);
  if (ttl.trim() !== '' && duration === undefined)
    throw new Refusal('ttl_invalid', 'a length of time is written as 90s, 15m or 2h');
  return {
    name: name.trim() || null,
    scopes: scopes.split(/\s+/).filter(Boolean),
    ttl: duration === undefined ? null : inSeconds(duration),
    revocable,
  };
}

/** The same as fields. */
export const apiFields = (form: Form) => ({
  name: form['name'] ?? '',
  scopes: form['scopes'] ?? '',
  ttl: form['ttl'] ?? '',
  revocable: form['revocable'] === 'yes',
});

const written = (ttl: number): string => (ttl % seconds(60) === 0 ? `${ttl / seconds(60)}m` : `${ttl / seconds(1)}s`);

export const apiShown = ({ name, scopes, ttl, revocable }: RegisteredResource) => ({
  name: name ?? '',
  scopes: scopes.join(' '),
  ttl: ttl === undefined ? '' : written(ttl),
  revocable,
});
