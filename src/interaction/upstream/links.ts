import type { Context } from 'koa';
import type { LinkedIdentity, WhyNot } from '../../domain/index.ts';
import type { SignedIn } from '../../engine/index.ts';
import { Refusal } from '../../lib/index.ts';
import { kindOf, UpstreamFailure } from '../../upstream/index.ts';
import type { Interacting } from '../context.ts';
import { failed, stillThere } from './failed.ts';

/** An upstream somebody may link to their account. */
interface Linkable {
  readonly id: string;
  readonly name: string;
  /** Where the button leads, for `allowFormRedirect`. */
  readonly place: string;
}

/** One the account is linked to. */
interface LinkShown extends Pick<LinkedIdentity, 'id' | 'label' | 'createdAt' | 'lastUsedAt'> {
  /** As the operator calls it. */
  readonly upstream: string;
}

/** What came of linking: `elsewhere` is linked to somebody else's account already. */
type LinkOutcome =
  | { readonly upstream: string; readonly linked: 'here' | 'elsewhere' }
  | { readonly upstream: string; readonly reason: WhyNot; readonly id: string };

export type UpstreamLinks = ReturnType<typeof createUpstreamLinks>;

type Room = Pick<Interacting, 'domain' | 'upstreamClient' | 'mark' | 'metrics' | 'log'>;

/**
 * Who people are elsewhere, for the page of their own account. Its owner has proven lately who they are; they go to the
 * upstream and come back (callback.ts) in the same browser and the same session, or nothing is linked.
 */
export function createUpstreamLinks(room: Room) {
  const { domain, upstreamClient, mark } = room;
  const { upstreams, upstreamRequests, identities } = domain;
  const nameOf = (id: string): string => upstreams.list().find((each) => each.id === id)?.name ?? id;

  return {
    /** Whom the account is linked to, the oldest first. */
    async list(accountId: string): Promise<LinkShown[]> {
      const all = await identities.listForAccount(accountId);
      return all.map(({ id, upstream, label, createdAt, lastUsedAt }) => ({
        id,
        upstream: nameOf(upstream),
        ...(label && { label }),
        createdAt,
        ...(lastUsedAt && { lastUsedAt }),
      }));
    },

    /** All there are: somebody may have two accounts at one of them. */
    offered: (): Linkable[] =>
      upstreams
        .list()
        .filter(({ kind }) => kindOf(kind) !== undefined)
        .map(({ id, name, issuer }) => ({ id, name, place: issuer })),

    /**
     * Begins. Gives where to send the browser: to the upstream, or straight back to `to` where it cannot be reached or is
     * no more, which {@link outcome} then tells.
     * @param to a path of ours
     */
    async begin(ctx: Context, { person, sessionId }: SignedIn, id: string, to: string): Promise<string> {
      await upstreamRequests.takeAnswer({ session: sessionId });
      const upstream = await stillThere(ctx, room, { session: sessionId }, id);
      if (!upstream) return to;
      const whose = { session: sessionId, accountId: person.id, to };
      const errand = await upstreamRequests.begin({ whose, upstream: id, browser: mark.id(ctx), remember: false });
      try {
        const provider = upstreams.providerOf(upstream);
        return (await upstreamClient.authorizationUrl(provider, errand, { choose: true })).href;
      } catch (error) {
        if (!(error instanceof UpstreamFailure)) throw error;
        await failed(ctx, room, { session: sessionId }, upstream, error);
        return to;
      }
    },

    /** What came of the last one, told once. */
    async outcome({ sessionId }: SignedIn): Promise<LinkOutcome | undefined> {
      const answer = await upstreamRequests.takeAnswer({ session: sessionId });
      if (!answer || 'vouched' in answer) return undefined;
      const upstream = nameOf(answer.upstream);
      return 'linked' in answer ? { upstream, linked: answer.linked } : { upstream, ...answer.failed };
    },

    /**
     * Never the last way in.
     * @throws Refusal `identity_unknown`, `last_way_in`
     */
    unlink: (accountId: string, linkId: string): Promise<void> => identities.unlink(accountId, linkId),
  };
}

/**
 * Links whoever came back, and says whether they were somebody else's.
 * @param session as in {@link Identities.link}
 * @throws Refusal `session_over`
 */
export async function linkTo(
  { domain }: Pick<Interacting, 'domain'>,
  accountId: string,
  somebody: Parameters<Interacting['domain']['identities']['link']>[1],
  session?: string,
): Promise<'here' | 'elsewhere'> {
  try {
    await domain.identities.link(accountId, somebody, session);
    return 'here';
  } catch (error) {
    if (error instanceof Refusal && error.code === 'identity_taken') return 'elsewhere';
    throw error;
  }
}
