/** What the command line needs of the process around it. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** Whether somebody sits there who can be asked. */
  readonly interactive: boolean;
  out(text: string): void;
  /** One line, for whoever reads along: notes and failures. */
  note(line: string): void;
  /** All of stdin, at most this many bytes. @throws Refusal `input_too_large` */
  readInput(most: number): Promise<string>;
  /** Asks without showing what is typed. @throws Refusal `cancelled` */
  askHidden(question: string): Promise<string>;
  /** What is still done where Ctrl-C or SIGTERM ends us. */
  onEnd(tidy: () => void): void;
}
