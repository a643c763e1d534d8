import { spawn } from 'node:child_process';
import test from 'ava';
import { standardOutput, WHOLE } from '../../src/http/log-output.ts';

/** What was written, write by write; `takes` says how many bytes, or throws. */
function sink(takes: (bytes: Uint8Array) => number = (bytes) => bytes.length, whole: number = WHOLE.pipe) {
  const writes: string[] = [];
  const write = (bytes: Uint8Array): number => {
    const taken = takes(bytes);
    writes.push(Buffer.from(bytes.subarray(0, taken)).toString());
    return taken;
  };
  return { output: standardOutput({ write, whole }), writes };
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test('the lines of one turn are written together at its end', async (t) => {
  const { output, writes } = sink();
  for (const n of [1, 2, 3]) output.write(`line ${n}\n`);
  t.deepEqual(writes, []);
  await turn();
  t.deepEqual(writes, ['line 1\nline 2\nline 3\n']);
});

test('of a busy server the lines of several turns are written together', async (t) => {
  const { output, writes } = sink();
  output.write('0\n');
  await turn();
  const lines = Array.from({ length: 20 }, (_, n) => `${n}\n`);
  for (const line of lines) {
    output.write(line);
    await turn();
  }
  output.flush();
  t.is(writes[0], '0\n');
  t.is(writes.slice(1).join(''), lines.join(''));
  t.true(writes.length < lines.length, `${writes.length}`);
});

test('each write is whole lines that a pipe takes at once; a longer line goes by itself', async (t) => {
  const { output, writes } = sink();
  const lines = Array.from({ length: 500 }, (_, n) => `${n} ${'ü'.repeat(n % 90)}\n`);
  lines.splice(200, 0, `${'x'.repeat(9000)}\n`);
  for (const line of lines) output.write(line);
  await turn();
  t.is(writes.join(''), lines.join(''));
  for (const each of writes) t.true(each.endsWith('\n') && (Buffer.byteLength(each) <= 4096 || !/\n./.test(each)));
  t.true(writes.length < 20);
});

test('a file is given more at once, and every line in its order', async (t) => {
  const { output, writes } = sink(undefined, WHOLE.file);
  const lines = Array.from({ length: 5000 }, (_, n) => `${n} ${'ü'.repeat(n % 90)}\n`);
  lines.splice(1000, 0, `${'ü'.repeat(50_000)}\n`);
  for (const line of lines) output.write(line);
  await turn();
  t.is(writes.join(''), lines.join(''));
  const long = writes.filter((each) => Buffer.byteLength(each) > 40_000);
  t.true(long.length > 2 && writes.length < 12, `${writes.length}`);
});

test('what somebody takes piece by piece comes whole, whatever is said meanwhile', (t) => {
  for (const whole of [16, WHOLE.pipe]) {
    const taken: Buffer[] = [];
    let calls = 0;
    const write = (bytes: Uint8Array): number => {
      calls += 1;
      if ([5, 50, 51].includes(calls)) throw Object.assign(new Error('busy'), { code: 'EAGAIN' });
      taken.push(Buffer.from(bytes.subarray(0, 1 + (calls % 7))));
      return taken.at(-1)!.length;
    };
    const output = standardOutput({ write, whole });
    const lines = Array.from({ length: 300 }, (_, line) => `${line} ${'é🔐'.repeat(line % 12)}\n`);
    for (const [n, line] of lines.entries()) {
      output.write(line);
      if (n % 30 === 29) output.flush();
    }
    t.is(Buffer.concat(taken).toString(), lines.join(''), `${whole}`);
  }
});

test('what is not taken is kept, in order, and written when somebody takes it again', (t) => {
  let stalled = true;
  const { output, writes } = sink((bytes) => {
    if (stalled) throw Object.assign(new Error('busy'), { code: 'EAGAIN' });
    return Math.min(3, bytes.length);
  });
  output.write('first\n');
  output.flush();
  output.write('second\n');
  stalled = false;
  output.flush();
  t.is(writes.join(''), 'first\nsecond\n');
});

test('while nobody takes them lines are lost beyond 4 MiB, and memory is not', (t) => {
  let stalled = true;
  const { output, writes } = sink((bytes) => {
    if (stalled) throw new Error('no space left');
    return bytes.length;
  });
  const line = `${'x'.repeat(999)}\n`;
  for (let n = 0; n < 10_000; n += 1) output.write(line);
  stalled = false;
  output.flush();
  const kept = writes.join('').length;
  t.true(kept > 4_000_000 && kept <= 4 * 1024 * 1024, `${kept}`);
});

test('a process that exits, or falls, in the turn in which it spoke has written its last line', async (t) => {
  const file = new URL('../../src/http/log.ts', import.meta.url).href;
  for (const end of ['process.exit(0)', "throw new Error('a bug')"]) {
    const script = `import { createLogger } from ${JSON.stringify(file)};
      const log = createLogger({ level: 'info' });
      process.on('exit', log.flush);
      for (let n = 0; n < 2000; n += 1) log.known('"n":' + n, 'request');
      log.info({}, 'last words');
      ${end};`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let text = '';
    for await (const piece of child.stdout) text += piece;
    const lines = text.trim().split('\n');
    t.is(lines.length, 2001);
    t.is((JSON.parse(lines.at(-1)!) as { msg: string }).msg, 'last words');
  }
});
