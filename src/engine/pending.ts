import type { Context } from 'koa';
import { errors, type Provider } from 'oidc-provider';
import type { Domain, Person, Provable, RegisteredClient } from '../domain/index.ts';
import { Refusal } from '../lib/index.ts';
import { isForDevice } from './device-grant.ts';
import { type Asked, askedOf, covers } from './grants.ts';
import type { OwnBrowser } from './own-browser.ts';
import { isSignedIn, provenHere, type Stored, steppingUp } from './proofs.ts';
import type { ResourceServers } from './resources.ts';
import { resourceScopesOf, splitScope } from './scopes.ts';

/** How far the person is with saying who they are. */
export type Progress =
  /** Nobody has proven anything yet that counts. */
  | { readonly missing: 'login' }
  /** Somebody has, and it is not enough: they prove one of `with`, or add a factor that reaches `needed`. */
  | {
      readonly missing: 'factor' | 'enrolment' | 'unmet';
      readonly person: Person;
      readonly with: readonly Provable[];
      readonly needed: string;
    }
  /** Enough is proven: the request is answered for this person. */
  | { readonly missing: undefined; readonly accountId: string };

/** An authorization request that waits for a person. */
export interface PendingRequest {
  readonly uid: string;
  /** The browser it goes on in, as a digest of its mark. */
  readonly browser: string;
  readonly client: RegisteredClient;
  /** Where the answer goes. */
  readonly redirectUri: string;
  /** Its host (or scheme, for an app), as a person is told it; undefined where the answer goes to a device. */
  readonly returnsTo: string | undefined;
  readonly loginHint?: string;
  readonly uiLocales?: string;
  readonly progress: Progress;
  /** The application itself demands more than a sign-in (RFC 9470): who gives up has not met that. */
  readonly demanding: boolean;
  /** How long ago they may have proved who they are, in seconds (`max_age`); 0: they do so now (`prompt=login`). */
  readonly maxAge?: number;
  /** They are to choose who they sign in as. */
  readonly choose: boolean;
  /** They said so themselves, and turned away who is signed in. */
  readonly switching: boolean;
  /** The address of whom they chose, '' for somebody else; undefined until they did. */
  readonly chosen?: string;
  /** Whoever signed in here wants to stay signed in on this browser. */
  readonly remember: boolean;
  /** The person proved who they are in this very interaction. */
  readonly signedInHere: boolean;
  /** Who this browser's session belongs to; another person may be signing in. */
  readonly sessionAccountId?: string;
  /** What is asked, resource by resource, OpenID Connect's own scopes apart. */
  readonly asked: {
    readonly scopes: readonly string[];
    readonly resources: Readonly<Record<string, readonly string[]>>;
    /** All of it: without blanks, and none means two things. */
    readonly words: readonly string[];
  };
}

export type Pending = ReturnType<typeof createPending>;

/** Reads what is stored of an interaction, and says what it lacks. */
export function createPending(provider: Provider, domain: Domain, servers: ResourceServers, browser: OwnBrowser) {
  async function details(ctx: Context): Promise<Stored> {
    const interaction = await whileItLasts(() => provider.interactionDetails(ctx.req, ctx.res) as Promise<Stored>);
    if (browser.isAnothers(ctx, interaction.result)) throw expired('who it is was proven in another browser');
    return interaction;
  }

  async function clientOf(interaction: Stored): Promise<RegisteredClient> {
    const client = await domain.clients.get(parameter(interaction, 'client_id') ?? '');
    if (!client) throw expired('the client was removed');
    // The engine looks at it once, when the request comes in; who has lost an address meanwhile gets no code there.
    const asTheEngineHasIt = await provider.Client.find(client.id);
    if (!asTheEngineHasIt?.redirectUriAllowed(parameter(interaction, 'redirect_uri') ?? ''))
      throw expired('the redirect URI is not the client’s any more');
    return client;
  }

  async function askedIn(interaction: Stored, client: RegisteredClient): Promise<Asked> {
    const uris = [interaction.params['resource'] ?? []].flat() as string[];
    const known = await Promise.all(uris.map(async (uri) => [uri, await serverOf(client, uri)] as const));
    return askedOf(parameter(interaction, 'scope'), Object.fromEntries(known));
  }

  async function serverOf(client: RegisteredClient, uri: string): Promise<{ readonly scope: string }> {
    try {
      return { scope: (await servers.serverFor(client.id, uri)).scope ?? '' };
    } catch (error) {
      throw error instanceof errors.InvalidTarget ? expired(`${uri} was taken from the client`) : error;
    }
  }

  /** Whether the sign-in that the engine is to hear of is as good as it was when it was proven (engine/accounts.ts asks once more). */
  async function stillCounts({ result }: Stored): Promise<boolean> {
    if (!result?.login) return true;
    const person = await domain.accounts.get(result.login.accountId);
    return person !== undefined && !person.disabled && person.epoch === result.epoch;
  }

  /** What is missing, from what is stored alone: a reload, a second tab and a second process see the same. */
  async function progressOf(interaction: Stored, client: RegisteredClient): Promise<Progress> {
    if (isSignedIn(interaction) && (await stillCounts(interaction))) {
      const accountId = interaction.result?.login?.accountId ?? interaction.session?.accountId;
      return accountId ? { missing: undefined, accountId } : { missing: 'login' };
    }
    const proven = provenHere(interaction);
    const who = proven ?? steppingUp(interaction);
    const person = who && (await domain.accounts.get(who.accountId));
    if (!person || person.disabled || (proven && proven.epoch !== person.epoch)) return { missing: 'login' };
    const { missing, needed, ...standing } = await domain.assurance.standing(person, who.amr, {
      asked: splitScope(parameter(interaction, 'acr_values')),
      registered: client.acrValues ?? [],
    });
    return missing === undefined ? { missing, accountId: person.id } : { missing, person, needed, with: standing.with };
  }

  return {
    details,
    clientOf,
    askedIn,
    progressOf,

    /** Whether the person has to be asked: they never allowed all of it, the client wants it asked, or it may be anyone (RFC 8252 §8.6). */
    async mustAsk(interaction: Stored, client: RegisteredClient, accountId: string): Promise<boolean> {
      if (interaction.result?.['consent']) return false;
      if (
        splitScope(parameter(interaction, 'prompt')).includes('consent') ||
        interaction.prompt.reasons.includes('native_client_prompt')
      )
        return true;
      if (client.firstParty) return false;
      if (client.type === 'native') return true;
      return !covers(await domain.consents.find(accountId, client.id), await askedIn(interaction, client));
    },

    async load(ctx: Context, uid: string): Promise<PendingRequest> {
      const interaction = await details(ctx);
      if (interaction.uid !== uid) throw expired('the form belongs to another request');
      const client = await clientOf(interaction);
      const asked = await askedIn(interaction, client);
      const redirectUri = parameter(interaction, 'redirect_uri') ?? '';
      const loginHint = parameter(interaction, 'login_hint');
      const uiLocales = parameter(interaction, 'ui_locales');
      const sessionAccountId = interaction.session?.accountId;
      const prompts = splitScope(parameter(interaction, 'prompt'));
      const maxAge = prompts.includes('login') ? 0 : maxAgeOf(interaction);
      return {
        uid,
        browser: browser.of(ctx),
        client,
        redirectUri,
        returnsTo: isForDevice(provider, redirectUri) ? undefined : placeOf(redirectUri),
        progress: await progressOf(interaction, client),
        switching: interaction.result?.anotherAccount === true,
        remember: interaction.result?.login?.remember === true,
        signedInHere: interaction.result?.login !== undefined,
        choose: interaction.result?.anotherAccount === true || interaction.prompt.name === 'select_account',
        demanding: parameter(interaction, 'acr_values') !== undefined || (client.acrValues ?? []).length > 0,
        asked: {
          scopes: asked.scopes,
          resources: Object.fromEntries(
            Object.entries(asked.resources).map(([uri, words]) => [uri, resourceScopesOf(words)]),
          ),
          words: wordsOf(asked),
        },
        ...(interaction.result?.chosen !== undefined && { chosen: interaction.result.chosen }),
        ...(maxAge !== undefined && { maxAge }),
        ...(sessionAccountId && { sessionAccountId }),
        ...(loginHint && { loginHint }),
        ...(uiLocales && { uiLocales }),
      };
    },
  };
}

/** What is asked as words to compare: an API may come to have scopes that were asked for in vain before. */
export const wordsOf = ({ scopes, resources }: Asked): readonly string[] => [
  ...scopes,
  ...Object.entries(resources).flatMap(([uri, words]) => words.map((word) => `${uri}#${word}`)),
];

export const parameter = (interaction: Stored, name: string): string | undefined => {
  const value = interaction.params[name];
  return typeof value === 'string' ? value : undefined;
};

/** OIDC Core §3.1.2.1; the engine has refused what is no number. */
const maxAgeOf = ({ params }: Stored): number | undefined =>
  params['max_age'] === undefined ? undefined : Number(params['max_age']);

export const expired = (rule: string) => new Refusal('request_expired', rule);

/** @throws Refusal `request_expired` where the request is over, or its session is */
export async function whileItLasts<R>(step: () => Promise<R>): Promise<R> {
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
