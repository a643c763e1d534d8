import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'ava';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import authorization from 'oidc-provider/lib/actions/authorization/index.js';
import { confirm, init } from 'oidc-provider/lib/actions/end_session.js';
import * as deviceCode from 'oidc-provider/lib/actions/grants/device_code.js';
import * as refreshToken from 'oidc-provider/lib/actions/grants/refresh_token.js';
import introspection from 'oidc-provider/lib/actions/introspection.js';
import revocation from 'oidc-provider/lib/actions/revocation.js';
import token from 'oidc-provider/lib/actions/token.js';
import userinfo from 'oidc-provider/lib/actions/userinfo.js';
import * as grantHelpers from 'oidc-provider/lib/helpers/grants.js';
import initializeKeystore from 'oidc-provider/lib/helpers/initialize_keystore.js';
import clientAuth from 'oidc-provider/lib/shared/client_auth.js';
import { adjustSteps, engineGrant, swapKeys } from '../../src/engine/internals.ts';

/** What we lean on of oidc-provider's inside. When a new version moved something, these say what to look at. */
const LOOK = 'oidc-provider changed inside: read its CHANGELOG and mend src/engine/internals.ts';

/** Steps of ours that were put in front of the engine's. */
const OURS = ['namedWithoutSecret', 'requireProof', 'tellSubject'];

const require = createRequire(import.meta.url);

const names = (steps: readonly { readonly name: string }[]): string[] => steps.map(({ name }) => name);

test.serial('the version is the one whose inside was read', (t) => {
  const { version } = require('oidc-provider/package.json') as { version: string };
  t.regex(version, /^9\.13\./, `${LOOK}; then name the new version here`);
});

test.serial('the three steps that refuse JWTs we keep a record of are there once each, and are taken out', (t) => {
  const lists = [
    [introspection, 'rejectStructuredTokens'],
    [revocation, 'rejectStructuredTokens'],
    [userinfo, 'validateAudience'],
  ] as const;
  const before = lists.map(([steps]) => names(steps));
  for (const [i, [, name]] of lists.entries())
    t.is(before[i]?.filter((step) => step === name).length, 1, `${name}: ${LOOK}`);
  adjustSteps();
  for (const [i, [steps, name]] of lists.entries())
    t.deepEqual(
      names(steps).filter((step) => !OURS.includes(step)),
      before[i]?.filter((step) => step !== name),
      'and nothing else is',
    );
  t.notThrows(adjustSteps, 'a second server in one process does not look for them again');
});

test.serial('a sign-out form is made by us, and read before the engine looks for one in the session', (t) => {
  t.false(names(init).includes('generateXsrf'), LOOK);
  t.is(names(init).at(-1), 'askWhetherToSignOut', LOOK);
  const at = names(confirm).indexOf('believeSignOutForm');
  t.deepEqual(names(confirm).slice(at), ['believeSignOutForm', 'verifyXsrf', 'endSession'], LOOK);
});

test.serial(
  'whether a client says who it is is looked at right before it is authenticated, its name in the header first',
  (t) => {
    for (const steps of [token, revocation]) {
      const at = names(steps).indexOf('namedWithoutSecret');
      t.deepEqual(names(steps).slice(at, at + 3), ['namedWithoutSecret', 'requireProof', 'authenticateClient'], LOOK);
    }
    for (const steps of [introspection, clientAuth]) {
      const at = names(steps).indexOf('requireProof');
      t.deepEqual(names(steps).slice(at, at + 2), ['requireProof', 'authenticateClient'], LOOK);
    }
  },
);

test.serial('the step that checks the grant type is there once, and is ours', (t) => {
  t.deepEqual(
    names(token).filter((name) => name === 'allowedGrantTypeCheck'),
    ['allowedGrantTypeCheck'],
    LOOK,
  );
});

test.serial('the step that checks whether a client may use devices is there once, and is ours', (t) => {
  const steps = names(authorization('device_authorization'));
  t.deepEqual(
    steps.filter((name) => /Grant/i.test(name) && /check/i.test(name)),
    ['checkDeviceGrant'],
    LOOK,
  );
});

test.serial('whether a request asks for anything is looked at once its resources are known', (t) => {
  for (const endpoint of ['pushed_authorization_request', 'device_authorization']) {
    const steps = names(authorization(endpoint));
    const at = steps.indexOf('asksForSomething');
    t.deepEqual(
      steps.slice(at - 1, at + 2),
      ['checkResource', 'asksForSomething', 'checkMaxAge'],
      `${endpoint}: ${LOOK}`,
    );
  }
});

test.serial('what stays in those lists still authenticates and checks', (t) => {
  for (const steps of [introspection, revocation])
    t.true(names(steps).includes('authenticateClient') || names(steps).some((name) => /client/i.test(name)), LOOK);
  t.true(names(userinfo).includes('validateAccessToken'), LOOK);
});

const key = async (kid: string) => {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' };
};

const providerWith = async (kid: string): Promise<Provider> =>
  new Provider('http://localhost', {
    adapter: () => ({}) as never,
    jwks: { keys: [(await key(kid)) as never] },
    cookies: { keys: ['x'.repeat(32)] },
    features: { devInteractions: { enabled: false } },
  });

const published = async (provider: Provider): Promise<string[]> => {
  const answer = await new Promise<{ keys: { kid: string }[] }>((resolve, reject) => {
    const server = provider.listen(0, '127.0.0.1', async () => {
      try {
        const { port } = server.address() as { port: number };
        resolve((await (await fetch(`http://127.0.0.1:${port}/jwks`)).json()) as { keys: { kid: string }[] });
      } catch (error) {
        reject(error as Error);
      } finally {
        server.close();
      }
    });
  });
  return answer.keys.map(({ kid }) => kid);
};

test.serial(
  'initialize_keystore swaps the keys of a running provider, and a bad set leaves the old ones',
  async (t) => {
    const provider = await providerWith('one');
    t.deepEqual(await published(provider), ['one']);
    initializeKeystore.call(provider, { keys: [await key('two'), await key('three')] });
    t.deepEqual(await published(provider), ['two', 'three'], LOOK);
    const twice = await key('twice');
    t.throws(() => swapKeys(provider, [twice, twice] as never), undefined, LOOK);
    t.deepEqual(await published(provider), ['two', 'three']);
  },
);

for (const [name, grant, taken] of [
  ['refresh_token', refreshToken, ['refresh_token', 'scope']],
  ['device_code', deviceCode, ['device_code']],
] as const)
  test.serial(`the grant ${name} is handler(provider, helpers, ctx) and takes the parameters we pass on`, (t) => {
    t.is(grant.handler.length, 3, LOOK);
    t.deepEqual([...grant.parameters].toSorted(), [...taken], LOOK);
    t.is(engineGrant({} as Provider, name).handle.length, 1);
    const source = readFileSync(require.resolve(`oidc-provider/lib/actions/grants/${name}.js`), 'utf8');
    const [, listed = ''] = /const \{([^{}]*)\} = helpers/.exec(source) ?? [];
    const used = listed.split(',').map((part) => part.trim());
    t.true(used.includes('validateGrant'), LOOK);
    for (const helper of used.filter(Boolean))
      t.true(helper in grantHelpers, `the grant uses the helper ${helper}, which there is none of: ${LOOK}`);
  });

test.serial('the helpers of the password grant and of refresh retries are there', (t) => {
  for (const name of [
    'validateDpop',
    'checkDpopRequired',
    'checkDpopReplay',
    'resolveRequestedResources',
    'validateClientScope',
    'findAccount',
    'resolveAndApplyResource',
    'shouldIssueRefreshToken',
    'applyRefreshTokenBindings',
    'buildTokenResponse',
  ])
    t.is(typeof (grantHelpers as Record<string, unknown>)[name], 'function', `${name}: ${LOOK}`);
});

test.serial('token models save by getValueAndPayload and load by find and instantiate', async (t) => {
  const provider = await providerWith('one');
  for (const name of ['AccessToken', 'ClientCredentials', 'RefreshToken'] as const) {
    const model = provider[name] as unknown as Record<string, unknown> & { prototype: Record<string, unknown> };
    for (const method of ['find', 'instantiate']) t.is(typeof model[method], 'function', `${name}.${method}: ${LOOK}`);
    for (const method of ['save', 'getValueAndPayload'])
      t.is(typeof model.prototype[method], 'function', `${name}#${method}: ${LOOK}`);
    t.true(Array.isArray(model['IN_PAYLOAD']), `${name}.IN_PAYLOAD: ${LOOK}`);
    t.true((model['IN_PAYLOAD'] as string[]).includes('clientId'), LOOK);
  }
  t.is(
    typeof (provider.Client.prototype as unknown as Record<string, unknown>)['compareClientSecret'],
    'function',
    LOOK,
  );
});
