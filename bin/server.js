#!/usr/bin/env node
// `npm start`: a process of the server.
import { setFlagsFromString } from 'node:v8';
import { enough, NEEDED, runProgram } from './program.js';

if (enough) {
  await runProgram('server');
  // Left to itself V8 collects the whole of a small heap each time it has grown by half: under load every second, for a tenth
  // of the processor's time. Not before: what a start leaves behind would take a megabyte or two.
  setFlagsFromString('--heap-growing-percent=200');
} else {
  process.stderr.write(
    `postern: needs Node ${NEEDED} or later, this is ${process.versions.node}: npm start brings one along\n`,
  );
  process.exitCode = 1;
}
