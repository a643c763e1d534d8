import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { decodeJwt } from 'jose';
import { signIn } from '../support/client.ts';
import { addClient } from '../support/postern.ts';
import { UserAgent } from '../support/user-agent.ts';
import { installed } from './support/places.ts';
import { AUDIENCE, startWorld, type World } from './support/world.ts';

let world: World;
let clientId: string;
test.before(async () => {
  world = await startWorld();
  const { id } = await addClient(world.postern, {
    name: 'A program in a terminal',
    type: 'native',
    redirectUris: [],
    deviceGrant: true,
    resources: [AUDIENCE],
  });
  clientId = id;
});
test.after.always(() => world?.close());

/** The program, and what it has said. */
function start(t: ExecutionContext) {
  const folder = installed('terminal');
  const child = spawn(process.execPath, [join(folder, 'main.js')], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', ...world.env, CLIENT_ID: clientId },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  let said = '';
  let look = () => {};
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk;
      look();
    });
  const code = new Promise<string>((resolve) => {
    look = () => {
      const [, shown] = /Open \S+\/device and type ([A-Z-]{9})/.exec(said) ?? [];
      if (shown) resolve(shown);
    };
  });
  return { code, ended, said: () => said };
}

async function answer(code: string, decision: 'allow' | 'deny'): Promise<void> {
  const agent = new UserAgent(world.postern.issuer);
  const page = await agent.submit(await agent.get('/device'), { user_code: code });
  if (decision === 'allow') return void (await signIn(agent, page));
  await agent.submit(page, {}, { name: 'decision', value: 'deny' });
}

test('somebody signs in to it in a browser, and it has a token for the API', async (t) => {
  const program = start(t);
  await answer(await program.code, 'allow');
  const [exit] = await program.ended;
  t.is(exit, 0, program.said());
  t.regex(program.said(), /Hello, Ada Lovelace/);
  const token = /An API is shown (\S+)/.exec(program.said())?.[1] ?? '';
  t.like(decodeJwt(token), { aud: AUDIENCE, scope: 'openid profile offline_access files.read' });
});

test('somebody says no, and it is told so', async (t) => {
  const program = start(t);
  await answer(await program.code, 'deny');
  const [exit] = await program.ended;
  t.not(exit, 0);
  t.regex(program.said(), /access_denied/);
});
