/** The examples, each run as its own users would: `npm run test:interop`, which prepares what they need. */
export default {
  files: ['test/interop/*.interop.ts'],
  extensions: ['ts'],
  concurrency: 2,
  timeout: '5m',
};
