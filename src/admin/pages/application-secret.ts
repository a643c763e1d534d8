import type { Outcome } from '../../http/index.ts';

interface WithSecret {
  readonly client_id: string;
  readonly client_name: string;
  readonly client_secret?: string;
}

/** An application's new secret, which is shown this once; where it has none, its page. */
export function secretOnce(client: WithSecret, done: string): Outcome {
  const { client_id: id, client_name: name, client_secret: value } = client;
  if (value === undefined) return { to: `applications/${id}`, done };
  const onwards = `/admin/applications/${id}`;
  return { once: { what: 'secret', id, value, name, onwards } };
}
