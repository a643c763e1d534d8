import test from 'ava';
import { addClient, addPerson, CALLBACK, PASSWORD, type Postern, startPostern } from '../support/postern.ts';

let postern: Postern;
test.before(async () => {
  postern = await startPostern();
  await addPerson(postern);
});
test.after.always(() => postern.close());

interface Sent {
  readonly path?: string;
  readonly body?: Record<string, string>;
  readonly authorization?: string;
}

const password = { grant_type: 'password', username: 'ada@example.com', password: PASSWORD };
const named = (id: string) => `Basic ${btoa(`${id}:`)}`;

async function post({ path = '/token', body = password, authorization }: Sent) {
  const headers = { origin: new URL(CALLBACK).origin, ...(authorization !== undefined && { authorization }) };
  const response = await fetch(`${postern.issuer}${path}`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(body),
  });
  const { status } = response;
  const text = await response.text();
  return { status, headers: response.headers, json: JSON.parse(text || '{}') as Record<string, string> };
}

const spa = () => addClient(postern, { type: 'spa', passwordGrant: true });

test('a client without a secret may name itself in the header, as Swagger UI does', async (t) => {
  const { id } = await spa();
  const { status, json, headers } = await post({ authorization: named(id) });
  t.is(status, 200, json['error_description']);
  t.is(headers.get('access-control-allow-origin'), new URL(CALLBACK).origin);
  const refresh = { grant_type: 'refresh_token', refresh_token: json['refresh_token'] ?? '' };
  const refreshed = await post({ authorization: named(id), body: refresh });
  t.is(refreshed.status, 200, refreshed.json['error_description']);
  const token = refreshed.json['refresh_token'] ?? '';
  t.is((await post({ path: '/revoke', authorization: named(id), body: { token } })).status, 200);
  t.is((await post({ body: { ...refresh, refresh_token: token, client_id: id } })).status, 400);
});

test('the same name in the body as well is the same client; another one is refused', async (t) => {
  const [{ id }, other] = await Promise.all([spa(), spa()]);
  t.is((await post({ authorization: named(id), body: { ...password, client_id: id } })).status, 200);
  const refused = await post({ authorization: named(id), body: { ...password, client_id: other.id } });
  t.is(refused.status, 400);
  t.is(refused.json['error'], 'invalid_request');
});

test('a client that has a secret is refused without it, and told how to give it', async (t) => {
  const { id, secret } = await addClient(postern, { passwordGrant: true });
  const refused = await post({ authorization: named(id) });
  t.is(refused.status, 401);
  t.is(refused.json['error'], 'invalid_client');
  t.regex(refused.headers.get('www-authenticate') ?? '', /^Basic realm=/);
  t.is((await post({ authorization: `Basic ${btoa(`${id}:${secret}`)}` })).status, 200);
});

test('a name nobody has, a name and a wrong secret, two ways at once: refused', async (t) => {
  const { id } = await spa();
  t.is((await post({ authorization: named('cli_nobody') })).status, 401);
  t.is((await post({ authorization: `Basic ${btoa(`${id}:x`)}` })).status, 401);
  t.is((await post({ authorization: `Basic ${btoa(':')}` })).status, 400);
  t.is((await post({ authorization: named(id), body: { ...password, client_secret: 'x' } })).status, 401);
});

test('who does not say which client asks has not authenticated, wherever clients have to (RFC 6749 §5.2)', async (t) => {
  const { id, secret } = await addClient(postern, { passwordGrant: true });
  for (const path of ['/token', '/introspect', '/revoke', '/par']) {
    const nobody = await post({ path });
    t.is(nobody.status, 401, path);
    t.is(nobody.json['error'], 'invalid_client', path);
    t.is(nobody.json['error_description'], 'no client authentication was included', path);
    for (const authorization of [
      'Bearer abc',
      'Basic',
      'Basic !!!',
      `Basic ${btoa(id)}`,
      'Digest username="x"',
      secret!,
    ]) {
      const { status, json, headers } = await post({ path, authorization });
      t.is(status, 401, `${path} ${authorization}`);
      t.is(json['error'], 'invalid_client', `${path} ${authorization}`);
      t.regex(headers.get('www-authenticate') ?? '', /^Basic realm="/, `${path} ${authorization}`);
    }
    const both = await post({ path, authorization: 'Bearer abc', body: { client_id: id, client_secret: secret! } });
    t.is(both.json['error'], 'invalid_request', 'two ways at once');
  }
});
