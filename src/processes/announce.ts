interface Announced {
  readonly url: string;
  readonly issuer: string;
  readonly workers?: number;
}

/** The line that scripts wait for: the first on standard output, whatever the log's level. */
export const listeningLine = (announced: Announced): string =>
  JSON.stringify({ level: 'info', time: new Date().toISOString(), msg: 'listening', ...announced });

/**
 * Said while nobody has an account. Its link makes one operator, within a day and once, so it is printed where the server
 * was started, and never logged.
 */
export const setupLine = (setup: string): string =>
  JSON.stringify({
    level: 'info',
    time: new Date().toISOString(),
    msg: 'nobody can sign in yet: open this link once to be the first operator, or  npx postern user add EMAIL',
    setup,
  });

export const NO_SETUP =
  'the link by which the first operator gets in cannot be made: start again when the store can write, or  npx postern user add EMAIL';

export const STOPPING = 'stopping: answering what was asked';
