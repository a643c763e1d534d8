#!/usr/bin/env node
/** `npm start`: a process of the server. Here and in cli/main.ts alone is the server given its `process`. */
import './lib/without-web-sockets.ts';
import './lib/kept-tick.ts';
import type { Socket } from 'node:net';
import { SettingsError } from './config/index.ts';
import { Refusal } from './lib/index.ts';
import { run } from './processes/index.ts';

// The first lines go here, as those of the log do: a full disk or a reader that left is no reason not to serve.
process.stdout.on('error', () => {});

try {
  await run({
    env: process.env,
    args: process.argv.slice(2),
    pid: process.pid,
    script: process.argv[1] ?? '',
    print: (line) => void process.stdout.write(`${line}\n`),
    onSignal: (signal, act) => void process.on(signal, act),
    exit: (code) => process.exit(code),
    onExit: (act) => void process.on('exit', act),
    primary: {
      send: (message, written) => void process.send?.(message, undefined, undefined, () => written?.()),
      onMessage: (act) => void process.on('message', (message, socket) => act(message as never, socket as Socket)),
      onGone: (act) => void process.on('disconnect', act),
    },
  });
} catch (error) {
  const known = error instanceof Refusal || error instanceof SettingsError;
  process.stderr.write(`${known ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exit(1);
}
