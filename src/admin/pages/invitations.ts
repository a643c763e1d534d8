import type { Outcome } from '../../http/index.ts';
import { perform } from '../../operations/index.ts';
import type { OperatorRoom } from './operator.ts';

interface Invitation {
  readonly email: string;
  readonly name?: string | undefined;
  readonly admin?: true | undefined;
  readonly language: string;
}

/** Invites somebody: by mail where there is a mail server, else by a link that is shown this once. */
export async function invite({ domain, settings }: OperatorRoom, invitation: Invitation): Promise<Outcome> {
  const { id, email, link, expires_at } = (await perform(domain, 'user.invite', invitation)) as {
    id: string;
    email: string;
    link: string;
    expires_at: string;
  };
  if (settings.smtp_url !== undefined) return { to: `people/${id}`, done: 'invited' };
  const until = Date.parse(expires_at);
  return { once: { what: 'link', value: link, name: email, until, onwards: `/admin/people/${id}` } };
}
