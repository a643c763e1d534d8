import type { Line } from '../table.ts';

/** One or a few lines of the table that are measured together. */
export interface Row {
  /** What it is asked for by: `npm run bench -- refresh`. */
  readonly name: string;
  measure(): Promise<Line[]>;
}
