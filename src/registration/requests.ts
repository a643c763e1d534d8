import type { Context } from 'koa';
import type { Domain, RegisteredClient } from '../domain/index.ts';
import { type JsonObject, readJsonObject, stateOf } from '../http/index.ts';
import { Refusal } from '../lib/index.ts';
import { clientInformation } from './answers.ts';
import { readMetadata } from './metadata.ts';
import { metadataRefused, tooMany, unauthorized, WrongMember } from './refused.ts';

export interface Room {
  readonly issuer: string;
  readonly clients: Pick<Domain['clients'], 'verifySecret'>;
  readonly registrations: Domain['registrations'];
}

const NO_LEAVE = 'an initial access token is needed that is known, not expired and not used up';
/** The same whether there is such a client or not. */
const NOT_YOURS = 'the registration access token of this client is needed';

/** What only we say (RFC 7592 §2.2). */
const OURS = [
  'registration_access_token',
  'registration_client_uri',
  'client_secret_expires_at',
  'client_id_issued_at',
] as const;

/** Answers one request to `/register`, or to what was registered there. */
export function requests({ issuer, clients, registrations }: Room): (ctx: Context) => Promise<void> {
  const addressOf = (ctx: Context): string => stateOf(ctx).address ?? '';

  /** RFC 7591 §3. */
  async function register(ctx: Context): Promise<void> {
    const token = bearerOf(ctx);
    if (!(await registrations.mayRegister(token))) throw unauthorized(issuer, token, NO_LEAVE);
    const metadata = await readJsonObject(ctx, 'invalid_client_metadata');
    const made = await taking(metadata, () => {
      const { type, said } = readMetadata(metadata);
      return registrations.register(type, said, { token, address: addressOf(ctx) });
    });
    if (!made) throw unauthorized(issuer, token, NO_LEAVE);
    if ('wait' in made) throw tooMany(made.wait);
    const { client, secret, registrationToken } = made;
    stateOf(ctx).clientId = client.id;
    ctx.status = 201;
    ctx.body = clientInformation({ issuer, client, token: registrationToken, secret });
  }

  /** The application that asks about itself, with the token it showed. */
  async function itself(ctx: Context): Promise<{ client: RegisteredClient; token: string }> {
    const token = bearerOf(ctx);
    const client = token === undefined ? undefined : await registrations.find(ctx.path.split('/')[2] ?? '', token);
    if (!client || token === undefined) throw unauthorized(issuer, token, NOT_YOURS);
    stateOf(ctx).clientId = client.id;
    return { client, token };
  }

  /** It may be gone by the time it changes. */
  const whileThere = <R>(token: string, work: () => Promise<R>): Promise<R> =>
    work().catch((error: unknown) => {
      throw error instanceof Refusal && error.code === 'client_unknown'
        ? unauthorized(issuer, token, NOT_YOURS)
        : error;
    });

  const own: Readonly<Record<string, (ctx: Context) => Promise<void>>> = {
    /** RFC 7592 §2.1. */
    async GET(ctx) {
      ctx.body = clientInformation({ issuer, ...(await itself(ctx)) });
    },

    /** RFC 7592 §2.2. The token stays: were it another one and the answer lost, nobody could look after the client again. */
    async PUT(ctx) {
      const { client, token } = await itself(ctx);
      const metadata = await readJsonObject(ctx, 'invalid_client_metadata');
      const restated = await taking(metadata, () =>
        whileThere(token, async () => {
          mustBeAbout(client, metadata);
          return registrations.restate(client, readMetadata(metadata, client).said, addressOf(ctx));
        }),
      );
      if ('wait' in restated) throw tooMany(restated.wait);
      ctx.body = clientInformation({ issuer, token, ...restated });
    },

    /** RFC 7592 §2.3. */
    async DELETE(ctx) {
      const { client, token } = await itself(ctx);
      await whileThere(token, () => registrations.remove(client));
      ctx.status = 204;
    },
  };

  /** It names itself, and says nothing that only we say. */
  function mustBeAbout(client: RegisteredClient, metadata: JsonObject): void {
    if (metadata['client_id'] !== client.id) throw new WrongMember('client_id', 'must be the one that was registered');
    const ours = OURS.find((member) => member in metadata);
    if (ours !== undefined) throw new WrongMember(ours, 'is not the application’s to say (RFC 7592 section 2.2)');
    const secret = metadata['client_secret'] ?? undefined;
    if (secret !== undefined && !(typeof secret === 'string' && clients.verifySecret(client, secret)))
      throw new WrongMember('client_secret', 'must be the one that was issued, or be left out');
  }

  return (ctx) => {
    if (ctx.method === 'POST') return register(ctx);
    return own[ctx.method === 'HEAD' ? 'GET' : ctx.method]!(ctx);
  };
}

/** Does what an application said, and tells it what of that is wrong. */
async function taking<R>(metadata: JsonObject, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    throw metadataRefused(metadata, error);
  }
}

/** RFC 6750 §2.1. */
const bearerOf = (ctx: Context): string | undefined =>
  /^Bearer +([\w.~+/-]+=*) *$/i.exec(ctx.get('Authorization'))?.[1];
