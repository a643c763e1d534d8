import { kills } from './kills.ts';
import { inShort } from './short.ts';

inShort(kills);
