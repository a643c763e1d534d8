/** What the rooms need of a logger: pino's own shape, so that pino fits as it is. */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** For tests and tools that say nothing. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
