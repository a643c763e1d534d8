import { createProgram } from '../../src/cli/index.ts';

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly notes: readonly string[];
  /** What was printed, as the JSON document it is. */
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect
  readonly json: any;
}

/** The command line in this process, where it starts at once and shares the test's clock. */
export const say = (env: Readonly<Record<string, string>>, ...args: string[]): Promise<Said> =>
  sayWith('', env, ...args);

/** {@link say}, with something on standard input. */
export async function sayWith(input: string, env: Readonly<Record<string, string>>, ...args: string[]): Promise<Said> {
  let out = '';
  const notes: string[] = [];
  const program = createProgram({
    env,
    pid: process.pid,
    interactive: false,
    out: (text) => {
      out += text;
    },
    note: (line) => void notes.push(line),
    readInput: async () => input,
    askHidden: async () => '',
    onEnd() {},
  });
  const code = await program.run(args);
  return {
    code,
    out,
    notes,
    get json() {
      return JSON.parse(out);
    },
  };
}
