/** Load: closed (each connection asks as soon as it was answered) or open (arrivals at a fixed rate). */
import { setTimeout as pause } from 'node:timers/promises';
import { closedLoop, stayAwake } from '../closed-loop.ts';
import { openLoop } from '../open-loop.ts';
import { type Prepared, prepare, type Script } from '../scripts.ts';
import { answer } from './answer.ts';

const scripts = new Map<string, Prepared>();

interface Closed {
  readonly urls: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  /** A script given before by {@link keep}. */
  readonly script: string;
  readonly awake: boolean;
}

answer({
  keep({ name, script }: { name: string; script: Script }) {
    scripts.set(name, prepare(script));
  },
  closed({ script: name, ...closed }: Closed) {
    const script = scripts.get(name)!;
    script.reset();
    return closedLoop({ ...closed, script });
  },
  open: openLoop,
  async awake({ seconds }: { seconds: number }) {
    const sleep = stayAwake();
    await pause(seconds * 1000);
    sleep();
  },
});
