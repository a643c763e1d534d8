import { faults } from './faults.ts';
import { inShort } from './short.ts';

inShort(faults);
