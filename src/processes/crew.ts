import type { Socket } from 'node:net';
import type { SettingsDocument } from '../config/index.ts';
import { type Clock, type Duration, type Logger, milliseconds, minutes, seconds } from '../lib/index.ts';
import type { Member, Serving } from './member.ts';
import { type Patience, watch } from './watch.ts';

interface Options {
  readonly count: number;
  readonly log: Logger;
  /** Starts one. `first`: at the first start, when `--init` holds and nothing may be said yet. */
  readonly start: (document: SettingsDocument, first: boolean) => Member;
  readonly document: SettingsDocument;
  /** One more serves. */
  readonly onServing: () => void;
  /** One that served is gone; it was not asked to go: `died`. */
  readonly onGone: (member: Member, died: boolean) => void;
  readonly now?: Clock;
  /** With one that hangs. */
  readonly patience?: Patience;
}

/** Workers that died or did not get up within this count together: each doubles the wait before the next start. */
const REMEMBERED = minutes(1);
const SHORTEST_WAIT = milliseconds(100);
const LONGEST_WAIT = seconds(30);

/** The workers, kept at their number. */
export function createCrew({ count, log, start, document, onServing, onGone, now = Date.now, patience }: Options) {
  const members = new Set<Member>();
  let current = document;
  /** Starts that are waited for. */
  let planned = 0;
  let failures: number[] = [];
  let begun = false;
  let stopping = false;
  let rolling: Promise<void> | undefined;
  let rollAgain: SettingsDocument | undefined;

  const inState = (...states: Member['state'][]) => [...members].filter(({ state }) => states.includes(state));

  /** What the settings said when each was started. */
  const startedFrom = new WeakMap<Member, SettingsDocument>();

  function enlist(from: SettingsDocument): Member {
    const member = start(from, !begun);
    members.add(member);
    startedFrom.set(member, from);
    void member.gone.then(() => members.delete(member));
    return member;
  }

  /** @throws Refusal why it did not get up */
  async function untilServing(member: Member): Promise<Serving> {
    const serving = await member.serving;
    void member.gone.then((how) => ended(member, how));
    log.info({ worker: member.id, pid: member.pid }, 'a worker serves');
    onServing();
    void watch(member, log, patience);
    return serving;
  }

  function ended(member: Member, how: string): void {
    const died = !leaving.has(member) && !stopping;
    onGone(member, died);
    if (died) {
      log.error({ worker: member.id, pid: member.pid, how }, 'a worker died');
      fillLater();
    } else fill();
  }

  const leaving = new WeakSet<Member>();
  function retire(member: Member): Promise<string> {
    leaving.add(member);
    member.drain();
    return member.gone;
  }

  /** Starts as many as are missing. */
  function fill(after: Duration = 0): void {
    if (!begun) return;
    while (!stopping && inState('starting', 'serving').length + planned < count) {
      planned += 1;
      setTimeout(() => {
        planned -= 1;
        if (stopping) return;
        const member = enlist(current);
        untilServing(member).catch((err: Error) => {
          // Ended by us.
          if (stopping || leaving.has(member)) return;
          log.error({ err: err.message }, 'a worker did not get up');
          fillLater();
        });
      }, after);
    }
  }

  function fillLater(): void {
    failures = [...failures.filter((at) => at > now() - REMEMBERED), now()];
    fill(Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** (failures.length - 1)));
  }

  /** One after the other: a new one serves before an old one ends. One may be started in place of a dead one meanwhile. */
  async function replaceAll(next: SettingsDocument): Promise<void> {
    const nextOld = () => inState('serving', 'starting').find((member) => startedFrom.get(member) !== next);
    for (let old = nextOld(); old && !stopping; old = nextOld()) {
      try {
        await untilServing(enlist(next));
      } catch (error) {
        if (stopping) return;
        log.error({ err: (error as Error).message }, 'a new worker did not get up: the others go on as they are');
        return;
      }
      current = next;
      if (members.has(old)) await retire(old);
    }
    // Where there was nobody to replace, too.
    current = next;
    if (stopping) return;
    const workers = inState('serving').length;
    if (workers > 0) log.info({ workers }, 'every worker has been replaced');
    else log.info({}, 'no worker serves: the next to start has the new settings');
  }

  /**
   * Hands a connection to whoever has the fewest; false where nobody serves.
   * @param refused who could not take it, and is not asked again where there is another
   */
  function give(connection: Socket, back: (connection: Socket) => void, refused?: Member): boolean {
    const serving = inState('serving').toSorted((a, b) => a.connections - b.connections);
    const idlest = serving.find((member) => member !== refused) ?? serving[0];
    idlest?.take(connection, (returned) => void (give(returned, back, idlest) || back(returned)));
    return idlest !== undefined;
  }

  return {
    get serving(): readonly Member[] {
      return inState('serving');
    },

    /** Starts them all. @throws Refusal of the first that does not get up; none is left then. */
    async begin(): Promise<Serving> {
      try {
        const [serving] = await Promise.all(Array.from({ length: count }, () => untilServing(enlist(current))));
        begun = true;
        // One may have died meanwhile.
        fill();
        return serving!;
      } catch (error) {
        stopping = true;
        for (const member of members) member.kill();
        throw error;
      }
    },

    /** The first line has been printed: others may follow. */
    speak(): void {
      for (const member of members) member.speak();
    },

    give,

    /** Replaces every worker, with what the settings say now; asked for meanwhile, it begins again after that. */
    roll(next: SettingsDocument): void {
      if (stopping) return;
      if (rolling) {
        rollAgain = next;
        return;
      }
      rolling = replaceAll(next).finally(() => {
        rolling = undefined;
        const again = rollAgain;
        rollAgain = undefined;
        if (again) this.roll(again);
      });
    },

    /** Lets every worker answer what it was asked. True when all ended in order. */
    async stop(): Promise<boolean> {
      stopping = true;
      for (const member of inState('starting')) member.kill();
      const ends = await Promise.all(inState('serving', 'leaving').map((member) => retire(member)));
      return ends.every((how) => how === 'code 0');
    },
  };
}
