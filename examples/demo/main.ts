/** `npm run demo` */
import { createLogger } from '../../src/http/index.ts';
import { startDemo } from './demo.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);
const log = createLogger({ level: 'warn' });

try {
  const demo = await startDemo({ log, pid: process.pid, say });
  say(`
  Postern's demo is running.

    Open       ${demo.url}
    E-mail     ${demo.email}
    Password   ${demo.password}

  Sign in, allow, and look at the tokens and at what the API says of them.
  The server itself is at ${demo.issuer}. Ctrl-C stops everything; nothing is kept.
`);
  const stop = () => void demo.close().then(() => process.exit(0));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
} catch (error) {
  process.stderr.write(`The demo could not start: ${(error as Error).message}\n`);
  process.exit(1);
}
