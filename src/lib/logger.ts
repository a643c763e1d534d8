/** What the rooms need of a logger: pino's shape, and one method more. */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
  /**
   * Like `info`, written as it is: for details in which every value is our own word.
   * @param members as they stand between the braces of a JSON object: `"a":1,"b":"x"`
   */
  known(members: string, message: string): void;
}

/** For tests and tools that say nothing. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, known() {} };
