/** They begin first, so that none of them is left alone at the end: the browser is busy while the workers mostly wait. */
const LONGEST = ['views/browser', 'flows/workers', 'store/postgres-faults'];

const rank = (file) => {
  const at = LONGEST.findIndex((name) => file.endsWith(`test/${name}.test.ts`));
  return at < 0 ? LONGEST.length : at;
};

export default {
  files: ['test/**/*.test.ts'],
  extensions: ['ts'],
  concurrency: 2,
  timeout: '3m',
  sortTestFiles: (one, other) => rank(one) - rank(other) || one.localeCompare(other),
};
