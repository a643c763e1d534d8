import { format } from 'node:util';
import { type DestinationStream, destination as open, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import type { Settings } from '../config/index.ts';
import type { Logger } from '../lib/index.ts';
import { redact, redactText } from './redact.ts';

interface Options {
  readonly level: Settings['log_level'];
  /** Standard output unless given. */
  readonly destination?: DestinationStream;
  /** Said in every line: which of several processes speaks. */
  readonly base?: Readonly<Record<string, number>>;
}

/** pino, with what we need of a logger beside it. */
export type Log = Omit<PinoLogger, 'flush'> & Logger & { flush(): void };

/**
 * The log: one JSON object per line, `level` and `time` in words, the sentence in `msg`. Everything passes through
 * {@link redact}, so that a secret which somebody logs by mistake is masked; `known` alone does not, for the one line
 * that every request has, whose details are all our own words.
 */
export function createLogger({ level, destination, base }: Options): Log {
  const out = destination ? { ...immediately, write: destination.write.bind(destination) } : standardOutput();
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
  return Object.assign(logger, {
    flush: out.flush,
    known(details: object, msg: string): void {
      if (said) out.write(`${JSON.stringify({ level: 'info', time: new Date().toISOString(), ...details, msg })}\n`);
    },
  });
}

const immediately = { flush(): void {} };

/** Bytes that wait to be written at most: beyond them lines are dropped rather than memory filled. */
const MOST_WAITING = 4 * 1024 * 1024;

/** What is said in one turn of the event loop is one write at its end, so that a busy server does not write line by line. */
function standardOutput(): DestinationStream & { flush(): void } {
  const out = open({ dest: 1, sync: true, minLength: 64 * 1024, maxLength: MOST_WAITING });
  let due: NodeJS.Immediate | undefined;
  function flush(): void {
    due = undefined;
    try {
      out.flushSync();
    } catch {
      // Nobody reads any more, or the disk is full: no reason to stop serving.
    }
  }
  return {
    flush,
    write(line) {
      out.write(line);
      due ??= setImmediate(flush);
    },
  };
}
