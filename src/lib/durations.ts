/** A length of time in milliseconds. Written with {@link minutes} and its like, never as a bare number. */
export type Duration = number & { readonly __duration?: never };

export const milliseconds = (n: number): Duration => n;
export const seconds = (n: number): Duration => n * 1000;
export const minutes = (n: number): Duration => seconds(n * 60);
export const hours = (n: number): Duration => minutes(n * 60);
export const days = (n: number): Duration => hours(n * 24);

const UNITS: Readonly<Record<string, (n: number) => Duration>> = {
  ms: milliseconds,
  s: seconds,
  m: minutes,
  h: hours,
  d: days,
};

/** Reads `15m`, `30s`, `7d`, `2h` or `500ms`; undefined where the text is none of these. */
export function parseDuration(text: string): Duration | undefined {
  const [, amount, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
  return amount && unit ? UNITS[unit]?.(Number(amount)) : undefined;
}

/** Whole seconds, rounded down: the unit of every OAuth lifetime and NumericDate (RFC 7519 §2). */
export const inSeconds = (duration: Duration): number => Math.floor(duration / 1000);

/** This moment as a NumericDate: by the wall clock, as everybody else's. */
export const numericDate = (): number => inSeconds(Date.now());
