#!/usr/bin/env node
// `npm start`: a process of the server.
import { enough, NEEDED, runProgram } from './program.js';

if (enough) await runProgram('server');
else {
  process.stderr.write(
    `postern: needs Node ${NEEDED} or later, this is ${process.versions.node}: npm start brings one along\n`,
  );
  process.exitCode = 1;
}
