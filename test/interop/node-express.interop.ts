import test from 'ava';
import { apiTests } from './support/api-tests.ts';
import { START } from './support/starts.ts';

apiTests(test, {
  protectedPath: '/protected',
  scoped: { path: '/files', readScope: 'files.read', writeScope: 'files.write' },
  start: START['node-express'],
});
