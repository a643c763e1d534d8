import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import { apiTests } from './support/api-tests.ts';
import { example, PYTHON } from './support/places.ts';
import { START } from './support/starts.ts';

const running = apiTests(test, { protectedPath: '/', start: START['python-pyjwt'] });

test('a program gets a token by its id and secret, and PyJWT reads it', async (t) => {
  const { machine, env, postern } = running.world;
  const { stdout } = await promisify(execFile)(PYTHON, ['tokens.py'], {
    cwd: example('python-pyjwt'),
    env: { ...env, CLIENT_ID: machine.id, CLIENT_SECRET: machine.secret },
  });
  const [token = '', claims = ''] = stdout.trim().split('\n');
  t.regex(token, /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
  t.true(claims.includes(machine.id) && claims.includes(postern.issuer), claims);
  t.is((await fetch(running.api.url, { headers: { authorization: `Bearer ${token}` } })).status, 200);
});
