import type { Outcome } from '../../http/index.ts';
import { perform } from '../../operations/index.ts';
import type { OperatorRoom } from './operator.ts';

interface Invitation {
  readonly email: string;
  readonly name?: string | undefined;
  readonly admin?: true | undefined;
  readonly language: string;
}

interface Sent {
  readonly id: string;
  readonly email: string;
  readonly link: string;
  readonly expires_at: string;
}

/** A link that somebody is mailed where there is a mail server; else it is shown this once, to be passed on. */
function handed({ settings }: OperatorRoom, { id, email, link, expires_at }: Sent, done: string): Outcome {
  if (settings.smtp_url !== undefined) return { to: `people/${id}`, done };
  const until = Date.parse(expires_at);
  return { once: { what: 'link', value: link, name: email, until, onwards: `/admin/people/${id}` } };
}

/** Invites somebody. */
export const invite = async (room: OperatorRoom, invitation: Invitation): Promise<Outcome> =>
  handed(room, (await perform(room.domain, 'user.invite', invitation)) as Sent, 'invited');

/** Has somebody choose a new password. */
export const resetPassword = async (room: OperatorRoom, user: string, language: string): Promise<Outcome> =>
  handed(room, (await perform(room.domain, 'user.password-reset', { user, language })) as Sent, 'reset_sent');
