import type { Logger } from './logger.ts';

/** Keeps what is said during the start until {@link HeldBack.release}, so that the first line can be `listening`. */
export interface HeldBack extends Logger {
  release(): void;
}

export function heldBack(logger: Logger): HeldBack {
  let held: (() => void)[] | undefined = [];
  const later = (say: () => void): void => (held ? void held.push(say) : say());
  return {
    debug: (details, message) => later(() => logger.debug(details, message)),
    info: (details, message) => later(() => logger.info(details, message)),
    warn: (details, message) => later(() => logger.warn(details, message)),
    error: (details, message) => later(() => logger.error(details, message)),
    known: (members, message) => later(() => logger.known(members, message)),
    release() {
      const said = held ?? [];
      held = undefined;
      for (const say of said) say();
    },
  };
}
