import { inShort } from './short.ts';
import { singleUse } from './single-use.ts';

inShort(singleUse);
