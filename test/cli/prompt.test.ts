import { PassThrough } from 'node:stream';
import test from 'ava';
import { passwordFromPerson } from '../../src/cli/password.ts';
import { askHidden } from '../../src/cli/prompt.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

/** Somebody at a terminal who types this, one answer for each question. */
function typing(...answers: string[]) {
  let shown = '';
  const output = new PassThrough();
  output.on('data', (text) => {
    shown += text;
  });
  const ask = (question: string): Promise<string> => {
    const input = new PassThrough();
    input.write(answers.shift() ?? '');
    return askHidden(input, output, question);
  };
  return { ask, shown: () => shown };
}

const terminalOf = (ask: Terminal['askHidden']) => ({ askHidden: ask }) as Terminal;

test('a password is asked twice and never shown', async (t) => {
  const { ask, shown } = typing('correct horse\r', 'correct horse\r');
  t.is(await passwordFromPerson(terminalOf(ask)), 'correct horse');
  t.is(shown(), 'Password: \nAgain: \n');
});

test('two that differ are refused', async (t) => {
  const { ask } = typing('correct horse\r', 'correct mouse\r');
  await t.throwsAsync(passwordFromPerson(terminalOf(ask)), { message: /not the same/ });
});

test('Ctrl-C and Ctrl-D cancel', async (t) => {
  for (const key of ['\u0003', '\u0004'])
    await t.throwsAsync(typing(key).ask('Password: '), { message: 'cancelled: nothing was changed' });
});
