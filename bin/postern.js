#!/usr/bin/env node
// Starts the command line with Node 24 or later: this one where it is new enough, otherwise the one npm brought along.
// Plain JavaScript that Node 20 can run.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { enough, NEEDED, runProgram, sourceOf } from './program.js';

const here = dirname(realpathSync(fileURLToPath(import.meta.url)));
// Node strips no types below node_modules: an installed package brings the hook that does.
const installed = here.split(/[\\/]/).includes('node_modules');

if (enough && !installed) await runProgram('cli');
else {
  const node = enough ? process.execPath : broughtAlong();
  if (node) run(node);
  else {
    process.stderr.write(
      `postern: needs Node ${NEEDED} or later, this is ${process.versions.node}: install it, or run npm install again with optional dependencies\n`,
    );
    process.exitCode = 1;
  }
}

/** The `node` of the optional dependency for this machine. */
function broughtAlong() {
  const name = `node-${process.platform}-${process.arch}`;
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    const node = join(dirname(manifest), 'bin/node');
    if (existsSync(node)) return node;
  } catch {
    // Not installed: perhaps a link to it is.
  }
  const link = join(here, '../node_modules/.bin/node');
  return existsSync(link) ? link : undefined;
}

/** Runs it in our place: same terminal, same signals, same end. */
function run(node) {
  // Stripping types is called experimental; whoever types a command has no use for knowing.
  const hook = installed ? ['--disable-warning=ExperimentalWarning', '--import', join(here, 'strip-types.js')] : [];
  const child = spawn(node, [...hook, sourceOf('cli'), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`postern: cannot start ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    for (const each of signals) process.removeAllListeners(each);
    if (signal) process.kill(process.pid, signal);
    else process.exitCode = code ?? 1;
  });
}
