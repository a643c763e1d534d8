/** How each API example is started, as its own documentation says. */
import { join } from 'node:path';
import type { ApiName } from './api-names.ts';
import { example, installed, PYTHON, RUST } from './places.ts';
import { type Program, startProgram } from './program.ts';
import type { World } from './world.ts';

/** Good for nothing but these tests. */
export const SECRET_KEY = 'of-the-tests-alone-0123456789abcdef0123456789abcdef';

const python = (name: string, args: string[], env: (world: World) => Record<string, string> = () => ({})) =>
  function start(world: World): Promise<Program> {
    return startProgram({ command: PYTHON, args, cwd: example(name), env: { ...world.env, ...env(world) } });
  };

const firstParty = ({ firstParty: { id, secret } }: World) => ({ CLIENT_ID: id, CLIENT_SECRET: secret, SECRET_KEY });

export const START = {
  'python-pyjwt': python('python-pyjwt', ['api.py']),
  'flask-api': python('flask-api', ['-m', 'flask', '--app', 'app', 'run', '--port', 'PORT'], firstParty),
  'django-api': python('django-api', ['manage.py', 'runserver', '--noreload', 'PORT'], firstParty),
  fastapi: python('fastapi', ['-m', 'uvicorn', 'main:app', '--port', 'PORT'], () => ({ DOCS_CLIENT_ID: 'docs' })),
  'rust-axum': ({ env }: World) => startProgram({ command: RUST, args: [], cwd: example('rust-axum'), env }),
  'node-express': ({ env }: World) =>
    startProgram({
      command: process.execPath,
      args: [join(installed('node-express'), 'server.js')],
      cwd: installed('node-express'),
      env,
    }),
} as const satisfies Record<ApiName, (world: World) => Promise<Program>>;
