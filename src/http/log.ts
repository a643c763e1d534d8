import { format } from 'node:util';
import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import type { Settings } from '../config/index.ts';
import type { Logger } from '../lib/index.ts';
import { standardOutput } from './log-output.ts';
import { redact, redactText } from './redact.ts';

interface Options {
  readonly level: Settings['log_level'];
  /** Standard output unless given. */
  readonly destination?: DestinationStream;
  /** Said in every line: which of several processes speaks. */
  readonly base?: Readonly<Record<string, number>>;
}

/** pino, and what we need of a logger beside it. */
export type Log = Omit<PinoLogger, 'flush'> &
  Logger & {
    /** Writes what waits for the end of this turn: to be called as the process exits. */
    flush(): void;
  };

/**
 * The log: one JSON object per line, `level` and `time` in words, the sentence in `msg`. Everything passes through
 * {@link redact}, so that a secret which somebody logs by mistake is masked; `known` alone does not, for the one line
 * that every request has, whose details are all our own words.
 */
export function createLogger({ level, destination, base }: Options): Log {
  const out = destination ? { write: destination.write.bind(destination), flush() {} } : standardOutput();
  const logger = pino(
    {
      level,
      base: base ?? null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Errors have been made plain by then; pino's serializer would read them once more.
      serializers: { err: (err: unknown) => err },
      hooks: {
        // Before pino formats: it would take a message from an error, and put objects into the text, as they are.
        logMethod([first, ...rest]: unknown[], method) {
          const given = typeof first === 'object' && first !== null;
          const [text, ...values] = given ? rest : [first, ...rest];
          const pieces = [text, ...values].map((piece) => (typeof piece === 'string' ? piece : redact(piece)));
          const message = text === undefined ? undefined : redactText(format(...pieces));
          const details = given ? redact(first instanceof Error ? { err: first } : first) : {};
          const plain = typeof details === 'object' && details !== null ? details : { details };
          method.apply(this, (message === undefined ? [plain] : [plain, '%s', message]) as Parameters<typeof method>);
        },
      },
    },
    out,
  );
  // pino writes what a child is given once, as it is, past every hook; children of children inherit this.
  const child = logger.child;
  logger.child = function redacted(this: PinoLogger, bindings: object, ...options: []) {
    return child.call(this, redact(bindings) as object, ...options);
  } as typeof child;

  const said = logger.isLevelEnabled('info');
  const before = base ? `${JSON.stringify(base).slice(1, -1)},` : '';
  return Object.assign(logger, {
    flush: out.flush,
    known(members: string, msg: string): void {
      if (said) out.write(`{"level":"info","time":"${isoTime()}",${before}${members},"msg":${JSON.stringify(msg)}}\n`);
    },
  });
}

let told = { at: 0, text: '' };

/** Many lines are written in the same millisecond. */
function isoTime(): string {
  const at = Date.now();
  if (at !== told.at) told = { at, text: new Date(at).toISOString() };
  return told.text;
}
