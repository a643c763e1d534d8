import { million } from './million.ts';
import { inShort } from './short.ts';

inShort(million);
