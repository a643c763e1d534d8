interface Announced {
  readonly url: string;
  readonly issuer: string;
  readonly workers?: number;
}

/** The line that scripts wait for: the first on standard output, whatever the log's level. */
export const listeningLine = (announced: Announced): string =>
  JSON.stringify({ level: 'info', time: new Date().toISOString(), msg: 'listening', ...announced });

export const NOBODY = 'nobody can sign in yet: add a person with  npx postern user add EMAIL';
export const STOPPING = 'stopping: answering what was asked';
