import type { Logger } from './logger.ts';

type Line = readonly [method: keyof Logger, details: object, message: string];

/** Keeps what is said during the start until {@link HeldBack.release}, so that the first line can be `listening`. */
export interface HeldBack extends Logger {
  release(): void;
}

export function heldBack(logger: Logger): HeldBack {
  let lines: Line[] | undefined = [];
  const say =
    (method: keyof Logger) =>
    (details: object, message: string): void =>
      lines ? void lines.push([method, details, message]) : logger[method](details, message);
  return {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    known: say('known'),
    release() {
      const held = lines ?? [];
      lines = undefined;
      for (const [method, details, message] of held) logger[method](details, message);
    },
  };
}
