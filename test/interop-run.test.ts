import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';

const MAIN = fileURLToPath(new URL('./interop/main.ts', import.meta.url));

/** What `npm run test:interop NAME` runs, with nothing prepared before. */
async function interop(t: ExecutionContext, name: string, env: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-interop-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const child = spawn(process.execPath, [MAIN, name], {
    env: { PATH: process.env['PATH'], HOME: folder, XDG_CACHE_HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

test('test:interop fails and names the examples there are, when asked for another', async (t) => {
  const { code, said } = await interop(t, 'cobol');
  t.is(code, 1);
  t.regex(said, /there is no cobol; there are django-api, fastapi, .*third-party-app/);
});

test('test:interop fails and says so, when a registry cannot be reached', async (t) => {
  const unreachable = { npm_config_registry: 'http://127.0.0.1:9/', npm_config_fetch_retries: '0' };
  const { code, said } = await interop(t, 'spa', unreachable);
  t.is(code, 1);
  t.regex(said, /the npm packages of spa could not be had from the npm registry\. Nothing was tested\./);
});
