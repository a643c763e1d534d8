/**
 * They begin first, so that none of them is left alone at the end: the browser is busy while the others mostly wait. For those
 * who wait it is one file more at once than two cores could work on.
 */
const LONGEST = [
  'views/browser',
  'flows/workers',
  'store/postgres-faults',
  'flows/sign-out-retries',
  'flows/sent-forms',
];

const rank = (file) => {
  const at = LONGEST.findIndex((name) => file.endsWith(`test/${name}.test.ts`));
  return at < 0 ? LONGEST.length : at;
};

export default {
  files: ['test/**/*.test.ts'],
  extensions: ['ts'],
  concurrency: 3,
  timeout: '3m',
  sortTestFiles: (one, other) => rank(one) - rank(other) || one.localeCompare(other),
};
