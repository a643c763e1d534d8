/** What browsers call themselves, the more particular first: nearly all of them claim to be Chrome or Safari too. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:HeadlessChrome|Chrome|CriOS|Chromium)\//, 'Chrome'],
  [/\bVersion\/.*Safari\//, 'Safari'],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];

const named = (text: string, table: typeof BROWSERS): string | undefined =>
  table.find(([pattern]) => pattern.test(text))?.[1];

/** The browser and the system that a User-Agent header tells of, as their owner knows them. It may lie. */
export function deviceName(userAgent: string): { browser?: string; system?: string } {
  const browser = named(userAgent, BROWSERS);
  const system = named(userAgent, SYSTEMS);
  return { ...(browser && { browser }), ...(system && { system }) };
}
