import type { Context } from 'koa';
import type { InteractionResults, Provider } from 'oidc-provider';
import { acrOf, type Domain } from '../domain/index.ts';
import type { Pace } from '../http/index.ts';
import { type Clock, numericDate } from '../lib/index.ts';
import { tellSignedOut } from './backchannel.ts';
import { claimsIn } from './jwt.ts';
import type { KeptAnswers } from './kept-answers.ts';
import type { KeptRequests } from './kept-requests.ts';
import { createOver } from './over.ts';
import type { OwnBrowser } from './own-browser.ts';
import { createPending, expired, parameter, whileItLasts, wordsOf } from './pending.ts';
import { added, asksWho, isSignedIn, type Proof, type Proven, provenHere, type Stored, steppingUp } from './proofs.ts';
import type { ResourceServers } from './resources.ts';

export type Interactions = ReturnType<typeof createInteractions>;

type Session = InstanceType<Provider['Session']>;

interface Parts {
  readonly provider: Provider;
  readonly domain: Domain;
  readonly servers: ResourceServers;
  readonly kept: KeptRequests;
  readonly answers: KeptAnswers;
  readonly browser: OwnBrowser;
  readonly pace: Pick<Pace, 'count'>;
  readonly now: Clock;
}

/**
 * The steps between an authorization request and its answer, as the pages use them. What is stored in the interaction
 * decides the next step, so a reload, a second tab and a second process see the same truth. Proofs are collected there;
 * the engine hears of a sign-in when nothing is missing, and asks the same question once more itself (policy.ts).
 */
export function createInteractions({ provider, domain, servers, kept, answers, browser, pace, now }: Parts) {
  const { details, clientOf, askedIn, progressOf, mustAsk, load } = createPending(provider, domain, servers, browser);

  const store = (ctx: Context, result: object): Promise<string> =>
    whileItLasts(() =>
      provider.interactionResult(ctx.req, ctx.res, result as InteractionResults, { mergeWithLastSubmission: false }),
    );

  /**
   * Adds to what is stored of this interaction, and of the one before where that has answered who it is. Whoever goes on has
   * not cancelled it.
   */
  function save(ctx: Context, interaction: Stored, changes: object): Promise<string> {
    const { error: _, error_description: __, ...before } = interaction.result ?? {};
    return store(ctx, { ...(asksWho(interaction) ? {} : interaction.lastSubmission), ...before, ...changes });
  }

  /** Goes back with an error. Who they are stays known, and what the answer is sealed under the same: for a second click. */
  async function refuse(ctx: Context, error: string, error_description: string): Promise<string> {
    const given = kept.presented(ctx);
    const answerKey = given && answers.keyOf(given, browser.of(ctx));
    return save(ctx, await details(ctx), { error, error_description, answerKey });
  }

  /** The browser's session of this moment: it may be younger than the request. */
  const sessionOf = (ctx: Context): Promise<Session> => provider.Session.get(ctx);

  /** What counted before this proof: of this interaction, else of the session where that only lacks something. */
  async function provenBefore(ctx: Context, interaction: Stored, { accountId, epoch }: Proof) {
    const here = provenHere(interaction);
    if (here || steppingUp(interaction)?.accountId !== accountId) return here;
    const session = await sessionOf(ctx);
    if (session.accountId !== accountId) return undefined;
    const { amr = [], loginTs = 0 } = session;
    return {
      accountId,
      epoch,
      amr,
      remember: !session['transient'],
      ts: loginTs,
      since: numericDate(),
    } satisfies Proven;
  }

  /** Tells the engine who signed in. */
  async function signedIn(ctx: Context, interaction: Stored, proven: Proven): Promise<string> {
    const session = await sessionOf(ctx);
    if (session.accountId && session.accountId !== proven.accountId) await leaveSession(interaction, session);
    const { accountId, amr, remember, ts, epoch } = proven;
    const login = { accountId, amr: [...amr], acr: acrOf(amr), remember, ts };
    kept.note(ctx, interaction, accountId);
    return save(ctx, interaction, { login, epoch, select_account: {}, proven: undefined });
  }

  return {
    load,
    /** What is answered where an interaction cannot go on. */
    over: createOver({ provider, domain, kept, answers, browser, pace, now }),

    /** Whether somebody's browser still waits for an answer to this request. */
    isPending: async (uid: string): Promise<boolean> => (await provider.Interaction.find(uid)) !== undefined,

    /**
     * Somebody proved something. Where that is enough, the engine will hear of it.
     * @returns where to go where it was the wrong person; undefined otherwise
     */
    async proved(ctx: Context, proof: Proof): Promise<string | undefined> {
      const interaction = await details(ctx);
      const expected = subjectOf(parameter(interaction, 'id_token_hint') ?? '');
      if (expected && expected !== proof.accountId) {
        return store(ctx, {
          error: 'login_required',
          error_description: 'another person signed in than id_token_hint names',
        });
      }
      const proven = added(await provenBefore(ctx, interaction, proof), proof);
      await save(ctx, interaction, { anotherAccount: false, proven, browser: browser.of(ctx) });
      const updated = await details(ctx);
      const { missing } = await progressOf(updated, await clientOf(updated));
      if (missing === undefined) await signedIn(ctx, updated, proven);
      return undefined;
    },

    /** Whether the person the request is for has still to be asked. */
    async needsConsent(ctx: Context, accountId: string): Promise<boolean> {
      const interaction = await details(ctx);
      return mustAsk(interaction, await clientOf(interaction), accountId);
    },

    /** Nothing is left to do: back to the engine. */
    async finish(ctx: Context): Promise<string> {
      const interaction = await details(ctx);
      const progress = await progressOf(interaction, await clientOf(interaction));
      if (progress.missing === 'unmet') return this.unmet(ctx);
      if (progress.missing !== undefined) return save(ctx, interaction, {});
      const proven = provenHere(interaction);
      if (!isSignedIn(interaction) && proven) {
        await signedIn(ctx, interaction, proven);
        return this.finish(ctx);
      }
      const given = kept.note(ctx, interaction, progress.accountId, now());
      return save(ctx, interaction, { answerKey: given && answers.keyOf(given, browser.of(ctx)) });
    },

    /**
     * The person allows what is asked, and it is remembered.
     * @param told the words they were told; where more is asked by now nothing is allowed, and they are asked anew
     */
    async allow(ctx: Context, accountId: string, told: readonly string[]): Promise<void> {
      const interaction = await details(ctx);
      const client = await clientOf(interaction);
      const progress = await progressOf(interaction, client);
      if (progress.missing !== undefined || progress.accountId !== accountId)
        throw expired('the person changed while the form was open');
      const person = await domain.accounts.get(accountId);
      if (!person || person.disabled) throw expired('the person was disabled or removed');
      const asked = await askedIn(interaction, client);
      if (!wordsOf(asked).every((word) => told.includes(word))) return;
      await domain.consents.remember({
        accountId,
        clientId: client.id,
        scopes: asked.scopes,
        resources: asked.resources,
      });
      // The grant is made on the way back, from what is remembered (grants.ts).
      await save(ctx, interaction, { consent: {} });
    },

    /** The person goes back without allowing anything (RFC 6749 §4.1.2.1). */
    deny: (ctx: Context): Promise<string> => refuse(ctx, 'access_denied', 'the person refused the request'),

    /** The person cannot prove what the application or the operator demands (RFC 9470 §5). */
    unmet: (ctx: Context): Promise<string> =>
      refuse(ctx, 'unmet_authentication_requirements', 'the person has not proven what is demanded'),

    /** The person says which of those who use this browser they are; '' is somebody else. */
    async choose(ctx: Context, email: string): Promise<void> {
      await save(ctx, await details(ctx), { chosen: email });
    },

    /**
     * Whoever is signed in goes on as they are. It proves nothing: what the request demands beside a choice the engine asks
     * for next. False where there is more to it.
     */
    async keep(ctx: Context, accountId: string): Promise<boolean> {
      const interaction = await details(ctx);
      const signedIn = [interaction.session?.accountId, (await sessionOf(ctx)).accountId];
      if (interaction.prompt.name !== 'select_account' || interaction.result?.anotherAccount) return false;
      if (signedIn.some((id) => id !== accountId)) return false;
      await save(ctx, interaction, { select_account: {}, kept: true });
      return true;
    },

    /** The person wants to sign in as somebody else. */
    async anotherAccount(ctx: Context): Promise<void> {
      kept.note(ctx, await details(ctx));
      await store(ctx, { anotherAccount: true });
    },
  };

  /** Another person signs in on this browser: the first one is signed out here, and the engine will start a session anew. */
  async function leaveSession(interaction: Stored, session: Session): Promise<void> {
    if (interaction.session) (interaction.session as { uid?: string }).uid = undefined as never;
    await interaction.save(interaction.exp - numericDate());
    const { accountId = '', authorizations = {} } = session;
    for (const [clientId, { grantId, sid, persistsLogout }] of Object.entries(authorizations)) {
      // Offline access stays; the application is told all the same that nobody is signed in here any more.
      if (persistsLogout && sid) await tellSignedOut(domain, { clientId, accountId, sid });
      else if (grantId) await domain.sessions.endGrant(grantId);
    }
    await session.destroy();
  }
}

/** The `sub` of an ID token the engine has validated when the request came in. */
function subjectOf(idToken: string): string | undefined {
  const sub = claimsIn(idToken)?.['sub'];
  return typeof sub === 'string' ? sub : undefined;
}
