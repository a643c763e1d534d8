import type { RegisteredUpstream } from '../../domain/index.ts';
import type { Form } from '../../http/index.ts';
import { kindOf } from '../../upstream/index.ts';

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

/** What an operator decides about a provider, by the names an operation takes it by, as fields. */
export const upstreamFields = (form: Form) => ({
  name: form['name']?.trim() ?? '',
  client_id: form['client_id']?.trim() ?? '',
  scopes: words(form['scopes'] ?? '').join(' '),
  trust_email: form['trust_email'] === 'yes',
  sign_up: form['sign_up'] === 'yes',
});

export const upstreamShown = ({ name, clientId, scopes, trustsEmail, signsUp }: RegisteredUpstream) => ({
  name,
  client_id: clientId,
  scopes: scopes.join(' '),
  trust_email: trustsEmail,
  sign_up: signsUp,
});

/** The same as an operation takes it. */
export const upstreamTermsIn = ({ scopes, ...fields }: ReturnType<typeof upstreamFields>) => ({
  ...fields,
  scopes: words(scopes),
});

/** What stands in a field that may be left empty. */
export const said = (form: Form, name: string): string | undefined => form[name]?.trim() || undefined;

/** A kind by its own name; one that only another version knows, by what is stored. */
export const kindShown = (id: string) => ({ id, name: kindOf(id)?.name ?? id });
