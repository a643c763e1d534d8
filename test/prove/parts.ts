import { faults } from './faults.ts';
import { histories } from './histories.ts';
import { kills } from './kills.ts';
import { million } from './million.ts';
import type { Part } from './part.ts';
import { restarts } from './restarts.ts';
import { singleUse } from './single-use.ts';

/** Everything that is proven, in the order of the table. */
export const PARTS: readonly Part[] = [singleUse, histories, kills, restarts, faults, million];
