import { endingWithPerson } from '../engine/index.ts';
import type { Artifact, Put, UnitOfWork } from '../store/index.ts';
import { type Family, type Issued, tokenIssuer } from './person-tokens.ts';
import type { Carried, Presented } from './sign-in.ts';
import type { Means } from './way.ts';

/** What is used up, by what grant, and what for. */
interface Redemption {
  readonly unit: UnitOfWork;
  readonly table: 'authorization_codes' | 'refresh_tokens';
  readonly signIn: Presented<Carried>;
  readonly grantType: string;
  /** The grants by which the sign-in came so far, as the engine writes them. */
  readonly gty: string;
  /** Undefined for a client that may not refresh. */
  readonly family: Family | undefined;
  /** What else there is to remember of it. */
  readonly also?: (issued: Issued, usedAt: number) => { readonly mark: Partial<Artifact>; readonly row?: Put };
}

/** Uses up a code or a refresh token for the tokens with which its sign-in goes on, all in one commit. */
export function redeemer(means: Means) {
  const { domain, now, onTokens } = means;
  const issue = tokenIssuer(means);
  const endsWith = endingWithPerson(domain);

  return async ({ unit, table, signIn, grantType, gty, family, also }: Redemption): Promise<object> => {
    const { row, person, client } = signIn;
    const issued = await issue(signIn, gty, family);
    const consumedAt = now();
    const more = also?.(issued, consumedAt);
    const used = { ...row.record, consumedAt, ...more?.mark };
    unit.put(table, row.id, used, { ...(row.expiresAt !== undefined && { expiresAt: row.expiresAt }), when: 'update' });
    for (const { put, id, record, expiresAt } of [...issued.rows, ...(more?.row ? [more.row] : [])])
      unit.put(put, id, record, expiresAt === undefined ? {} : { expiresAt });
    endsWith(unit, person);
    await unit.commit();
    void domain.consents.used(person.id, client.id);
    onTokens(grantType);
    return issued.answer;
  };
}
