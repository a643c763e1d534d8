import type { Context } from 'koa';
import { errors, type Interaction, type InteractionResults, type Provider } from 'oidc-provider';
import type { Domain, RegisteredClient } from '../domain/index.ts';
import { Refusal } from '../lib/index.ts';
import { type Asked, askedOf, covers } from './grants.ts';
import type { ResourceServers } from './resources.ts';
import { resourceScopesOf, splitScope } from './scopes.ts';

/** A person who proved who they are in this interaction, before the engine has heard of it. */
export interface Proof {
  readonly accountId: string;
  /** How, in the words of RFC 8176. */
  readonly amr: readonly string[];
  /** Keep the browser signed in after it is closed. */
  readonly remember: boolean;
  /** The account's epoch when they proved it. */
  readonly epoch: number;
}

/** An authorization request that waits for a person. */
export interface PendingRequest {
  readonly uid: string;
  readonly client: RegisteredClient;
  /** Where the answer goes. */
  readonly redirectUri: string;
  /** Its host (or scheme, for an app), as a person is told it. */
  readonly returnsTo: string;
  readonly loginHint?: string;
  readonly uiLocales?: string;
  /** Whether someone has to prove who they are now. */
  readonly needsLogin: boolean;
  /** Who the request is answered for, once that is known. */
  readonly accountId?: string;
  /** Who this browser's session belongs to; another person may be signing in. */
  readonly sessionAccountId?: string;
  /** What is asked, resource by resource, OpenID Connect's own scopes apart. */
  readonly asked: {
    readonly scopes: readonly string[];
    readonly resources: Readonly<Record<string, readonly string[]>>;
  };
}

export type Interactions = ReturnType<typeof createInteractions>;

/** The engine's prompts that a sign-in answers. */
const ASKS_WHO: ReadonlySet<string> = new Set(['login', 'select_account']);

type Stored = Interaction & { result?: InteractionResults & { anotherAccount?: boolean } };

/**
 * The steps between an authorization request and its answer, as the pages use them. What is stored in the interaction
 * decides the next step, so a reload, a second tab and a second process see the same truth; sign-in and consent end in
 * one return to the engine.
 */
export function createInteractions(provider: Provider, domain: Domain, servers: ResourceServers) {
  const details = (ctx: Context): Promise<Stored> =>
    whileItLasts(() => provider.interactionDetails(ctx.req, ctx.res) as Promise<Stored>);

  const save = (ctx: Context, result: object, merge = true): Promise<string> =>
    whileItLasts(() =>
      provider.interactionResult(ctx.req, ctx.res, result as InteractionResults, { mergeWithLastSubmission: merge }),
    );

  const parameter = (interaction: Stored, name: string): string | undefined => {
    const value = interaction.params[name];
    return typeof value === 'string' ? value : undefined;
  };

  async function clientOf(interaction: Stored): Promise<RegisteredClient> {
    const client = await domain.clients.get(parameter(interaction, 'client_id') ?? '');
    if (!client) throw expired('the client was removed');
    return client;
  }

  async function askedIn(interaction: Stored, client: RegisteredClient): Promise<Asked> {
    const uris = [interaction.params['resource'] ?? []].flat() as string[];
    const known = await Promise.all(
      uris.map(async (uri) => [uri, { scope: (await servers.serverFor(client.id, uri)).scope ?? '' }] as const),
    );
    return askedOf(parameter(interaction, 'scope'), Object.fromEntries(known));
  }

  const needsLogin = ({ prompt, result }: Stored): boolean =>
    result?.anotherAccount === true || (ASKS_WHO.has(prompt.name) && !result?.login);

  const accountOf = (interaction: Stored): string | undefined =>
    needsLogin(interaction) ? undefined : (interaction.result?.login?.accountId ?? interaction.session?.accountId);

  /** Whether the person has to be asked: they never allowed all of it, the client wants it asked, or it may be anyone (RFC 8252 §8.6). */
  async function mustAsk(interaction: Stored, client: RegisteredClient, accountId: string): Promise<boolean> {
    if (
      splitScope(parameter(interaction, 'prompt')).includes('consent') ||
      interaction.prompt.reasons.includes('native_client_prompt')
    )
      return true;
    if (client.firstParty) return false;
    if (client.type === 'native') return true;
    return !covers(await domain.consents.find(accountId, client.id), await askedIn(interaction, client));
  }

  async function load(ctx: Context, uid: string): Promise<PendingRequest> {
    const interaction = await details(ctx);
    if (interaction.uid !== uid) throw expired('the form belongs to another request');
    const client = await clientOf(interaction);
    const { scopes, resources } = await askedIn(interaction, client);
    const accountId = accountOf(interaction);
    const redirectUri = parameter(interaction, 'redirect_uri') ?? '';
    const loginHint = parameter(interaction, 'login_hint');
    const uiLocales = parameter(interaction, 'ui_locales');
    const sessionAccountId = interaction.session?.accountId;
    return {
      uid,
      client,
      redirectUri,
      returnsTo: placeOf(redirectUri),
      needsLogin: needsLogin(interaction),
      asked: {
        scopes,
        resources: Object.fromEntries(Object.entries(resources).map(([uri, words]) => [uri, resourceScopesOf(words)])),
      },
      ...(accountId && { accountId }),
      ...(sessionAccountId && { sessionAccountId }),
      ...(loginHint && { loginHint }),
      ...(uiLocales && { uiLocales }),
    };
  }

  return {
    load,

    /**
     * Somebody proved who they are.
     * @returns where to go back to the engine, or undefined when they have to be asked for consent first.
     */
    async signedIn(ctx: Context, { accountId, amr, remember, epoch }: Proof): Promise<string | undefined> {
      const interaction = await details(ctx);
      const client = await clientOf(interaction);
      const expected = subjectOf(parameter(interaction, 'id_token_hint'));
      if (expected && expected !== accountId) {
        return save(
          ctx,
          { error: 'login_required', error_description: 'another person signed in than id_token_hint names' },
          false,
        );
      }
      // The browser's session of this moment: it may be younger than the request.
      const session = await provider.Session.get(ctx as never);
      if (session.accountId && session.accountId !== accountId) await leaveSession(interaction, session);
      const login = { accountId, amr: [...amr], remember, ts: Math.floor(Date.now() / 1000) };
      const returnTo = await save(ctx, { login, epoch, select_account: {}, anotherAccount: false });
      return (await mustAsk(interaction, client, accountId)) ? undefined : returnTo;
    },

    /** Whether the person the request is for has still to be asked. */
    async needsConsent(ctx: Context, accountId: string): Promise<boolean> {
      const interaction = await details(ctx);
      return mustAsk(interaction, await clientOf(interaction), accountId);
    },

    /** Nothing is left to do: back to the engine. */
    async finish(ctx: Context): Promise<string> {
      const interaction = await details(ctx);
      return save(ctx, { ...interaction.result });
    },

    /** The person allows what is asked; it is remembered. Gives where to go back to the engine. */
    async allow(ctx: Context, accountId: string): Promise<string> {
      const interaction = await details(ctx);
      if (accountOf(interaction) !== accountId) throw expired('the person changed while the form was open');
      const person = await domain.accounts.get(accountId);
      if (!person || person.disabled) throw expired('the person was disabled or removed');
      const client = await clientOf(interaction);
      const asked = await askedIn(interaction, client);
      await domain.consents.remember({
        accountId,
        clientId: client.id,
        scopes: asked.scopes,
        resources: asked.resources,
      });
      // The grant is made on the way back, from what is remembered (grants.ts).
      return save(ctx, { ...interaction.result, consent: {} });
    },

    /** The person goes back without allowing anything (RFC 6749 §4.1.2.1). */
    deny: (ctx: Context): Promise<string> =>
      save(ctx, { error: 'access_denied', error_description: 'the person refused the request' }, false),

    /** The person wants to sign in as somebody else. */
    async anotherAccount(ctx: Context): Promise<void> {
      await save(ctx, { anotherAccount: true }, false);
    },
  };

  /** Another person signs in on this browser: the first one is signed out here, and the engine will start a session anew. */
  async function leaveSession(interaction: Stored, session: InstanceType<Provider['Session']>): Promise<void> {
    if (interaction.session) (interaction.session as { uid?: string }).uid = undefined as never;
    await interaction.save(interaction.exp - Math.floor(Date.now() / 1000));
    for (const authorization of Object.values(session.authorizations ?? {})) {
      if (authorization.grantId && !authorization.persistsLogout) await domain.sessions.endGrant(authorization.grantId);
    }
    await session.destroy();
  }
}

const expired = (rule: string) => new Refusal('request_expired', rule);

/** @throws Refusal `request_expired` where the request is over, or its session is */
async function whileItLasts<R>(step: () => Promise<R>): Promise<R> {
  try {
    return await step();
  } catch (error) {
    throw error instanceof errors.SessionNotFound ? expired(error.error_description ?? error.message) : error;
  }
}

/** `app.example.com`, or `com.example.app` for a private-use scheme (RFC 8252 §7.1). */
function placeOf(uri: string): string {
  const url = URL.parse(uri);
  return url?.host || url?.protocol.slice(0, -1) || uri;
}

/** The `sub` of an ID token the engine has validated when the request came in. */
function subjectOf(idToken: string | undefined): string | undefined {
  if (!idToken) return undefined;
  try {
    const { sub } = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString()) as { sub?: unknown };
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
}
