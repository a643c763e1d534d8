import { restarts } from './restarts.ts';
import { inShort } from './short.ts';

inShort(restarts);
