/** Whether anybody is asked anything, is decided by one list, whichever way a request comes (src/engine/unasked.ts). */
import test from 'ava';
import { exportJWK, generateKeyPair } from 'jose';
import { type Adapter, interactionPolicy, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { createUnasked, type Simple } from '../../src/engine/unasked.ts';

const API = 'https://files.example.com';
const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const provider = new Provider('https://id.example.com', {
  adapter: () => ({}) as Adapter,
  jwks: { keys: [await exportJWK(privateKey)] },
  features: { devInteractions: { enabled: false } },
});

const SIMPLE = {
  session: { accountId: 'usr_ada', amr: ['pwd'] },
  person: { id: 'usr_ada' },
  client: { id: 'cli_app', type: 'web' },
  grant: {
    accountId: 'usr_ada',
    clientId: 'cli_app',
    openid: { scope: 'email openid' },
    resources: { [API]: 'files.write openid files.read email' },
  },
  scopes: ['openid', 'email', 'files.read'],
  resource: { uri: API, scope: 'openid email files.read files.write' },
} as unknown as Simple;

const { Check } = interactionPolicy;
type Asks = (ctx: KoaContextWithOIDC) => boolean | Promise<boolean>;

/** What is granted unasked where one check more is in the list. */
function granted(asks: Asks = () => false, request = SIMPLE) {
  const policy = interactionPolicy.base();
  policy.get('consent')!.checks.add(new Check('more', 'something more is to be asked', 'interaction_required', asks));
  return createUnasked(provider, policy)(request);
}

test('what is asked for and was allowed is granted, in the order in which it was allowed', async (t) => {
  t.deepEqual(await granted(), ['email', 'openid', 'files.read']);
});

test('nothing is granted unasked where a check of the list asks, at once or after a while', async (t) => {
  t.is(await granted(() => true), undefined);
  t.is(await granted(async () => true), undefined);
  t.truthy(await granted(async () => false));
  // The engine would not take it for an answer either.
  t.is(await granted(() => undefined as never), undefined);
});

test('nothing is granted unasked of what was not allowed, nor to an application on a phone', async (t) => {
  t.is(await granted(undefined, { ...SIMPLE, scopes: ['openid', 'profile'] }), undefined);
  t.is(
    await granted(undefined, {
      ...SIMPLE,
      grant: { openid: { scope: 'openid email' }, resources: { [API]: 'openid email' } },
    }),
    undefined,
  );
  t.is(await granted(undefined, { ...SIMPLE, client: { ...SIMPLE.client, type: 'native' } }), undefined);
  t.is(await granted(undefined, { ...SIMPLE, session: {} }), undefined);
});

test('a check that looks at what it is not shown is no reason to grant: it throws', async (t) => {
  for (const asks of [
    ({ oidc }) => oidc.client?.['termsUri'] === 'https://app.example.com/terms',
    ({ oidc }) => oidc.session?.past(60) ?? false,
    ({ oidc }) => oidc.params?.['ui_locales'] === 'de',
    ({ oidc }) => 'registration' in (oidc.params ?? {}),
    ({ oidc }) => oidc.entities.Interaction !== undefined,
    ({ req }) => req.headers['accept'] === 'x',
  ] as Asks[])
    await t.throwsAsync(async () => granted(asks), { message: /a check looks/ });
});
