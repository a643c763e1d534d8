import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import type { Settings } from '../config/index.ts';
import { redact, redactText } from './redact.ts';

interface Options {
  readonly level: Settings['log_level'];
  /** Standard output unless given. */
  readonly destination?: DestinationStream;
}

/**
 * The log: one JSON object per line, `level` and `time` in words, the sentence in `msg`. Everything passes through
 * {@link redact}, so that a secret which somebody logs by mistake is masked.
 */
export function createLogger({ level, destination }: Options): PinoLogger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (details) => redact(details) as Record<string, unknown>,
        bindings: (bindings) => redact(bindings) as Record<string, unknown>,
      },
      // Errors were made plain above; pino's serializer would read them once more.
      serializers: { err: (err: unknown) => err },
      hooks: {
        logMethod(args, method) {
          method.apply(
            this,
            args.map((arg: unknown) => (typeof arg === 'string' ? redactText(arg) : arg)) as typeof args,
          );
        },
      },
    },
    ...(destination ? [destination] : []),
  );
}
