import { createHmac, generateKeyPairSync, sign as signWith } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { AUDIENCE, machineToken, personTokens, type World } from './world.ts';

/** Tokens that no API may accept, by what is wrong with them; each is right in everything else. */
export const HOSTILE: readonly [fact: string, make: (world: World) => Promise<string>][] = [
  ['an expired token', (world) => signed(world, { exp: now() - 3600, iat: now() - 7200 })],
  ['a token of another audience', (world) => signed(world, { aud: 'https://other.example.com' })],
  ['a token Postern issued for another API', (world) => machineToken(world, undefined, 'https://other.example.com')],
  ['a token of another issuer', (world) => signed(world, { iss: 'https://evil.example.com' })],
  ['a token of another kind (typ)', (world) => signed(world, {}, { typ: 'JWT' })],
  ['a token of no kind', (world) => signed(world, {}, { typ: undefined })],
  ['an ID token', async (world) => (await personTokens(world)).id],
  ['an ID token whose audience is this API', (world) => signed(world, { nonce: 'x' }, { typ: undefined })],
  ['a refresh token', async (world) => (await personTokens(world)).refresh],
  ['an HS256 token signed with the public key in PEM', (world) => hmac(world, pem)],
  ['an HS256 token signed with the public key as JWK', (world) => hmac(world, jwk)],
  ['a token signed by nobody (alg none)', (world) => unsigned(world)],
  ['a token of another key under our kid', (world) => foreign(world, {})],
  ['a token of a key nobody knows', (world) => foreign(world, { kid: 'unknown' })],
  ['a token that brings its own key', (world) => foreign(world, { jwk: FOREIGN.publicKey.export({ format: 'jwk' }) })],
  ['a token without kid', (world) => foreign(world, { kid: undefined })],
  ['a token with a changed signature', async (world) => `${(await machineToken(world)).slice(0, -6)}AAAAAA`],
  ['a token with changed claims', (world) => changed(world)],
  ['garbage', async () => 'garbage'],
  ['three dots', async () => '...'],
  ['something like a JWT', async () => 'e30.e30.e30'],
  ['a JWT whose parts are no JSON', async () => 'AAAA.BBBB.CCCC'],
];

const now = (): number => Math.floor(Date.now() / 1000);

const FOREIGN = generateKeyPairSync('rsa', { modulusLength: 2048 });

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A good token's header and claims, changed. */
async function parts(world: World, claims: object, header: object): Promise<string> {
  const token = await machineToken(world, 'files.read');
  const body = { ...decodeJwt(token), aud: AUDIENCE, ...claims };
  return `${encode({ ...decodeProtectedHeader(token), ...header })}.${encode(body)}`;
}

/** Signed by the very key that signs. */
async function signed(world: World, claims: object, header: object = {}): Promise<string> {
  const text = await parts(world, claims, header);
  const signature = await world.postern.domain.keys.signer().sign(Buffer.from(text));
  return `${text}.${Buffer.from(signature).toString('base64url')}`;
}

const pem = (world: World): string =>
  String(world.postern.domain.keys.signer().publicKey.export({ type: 'spki', format: 'pem' }));
const jwk = (world: World): string =>
  JSON.stringify(world.postern.domain.keys.signer().publicKey.export({ format: 'jwk' }));

async function hmac(world: World, secret: (world: World) => string): Promise<string> {
  const text = await parts(world, {}, { alg: 'HS256' });
  return `${text}.${createHmac('sha256', secret(world)).update(text).digest('base64url')}`;
}

const unsigned = async (world: World): Promise<string> => `${await parts(world, {}, { alg: 'none' })}.`;

async function foreign(world: World, header: object): Promise<string> {
  const text = await parts(world, {}, header);
  return `${text}.${signWith('sha256', Buffer.from(text), FOREIGN.privateKey).toString('base64url')}`;
}

async function changed(world: World): Promise<string> {
  const [header, body, signature] = (await machineToken(world, 'files.read')).split('.');
  const claims = JSON.parse(Buffer.from(body ?? '', 'base64url').toString('utf8')) as object;
  return `${header}.${encode({ ...claims, scope: 'files.read files.write' })}.${signature}`;
}
