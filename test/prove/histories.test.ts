import { histories } from './histories.ts';
import { inShort } from './short.ts';

inShort(histories);
