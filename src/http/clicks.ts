import { type Duration, seconds, sha256 } from '../lib/index.ts';
import type { Form } from './forms.ts';

/** A second click comes after the first one's answer has left, and keeps the browser from following it. */
const DOUBLE_CLICK: Duration = seconds(2);

/** What a form holds, its own token among it: the same only where it is sent twice. */
export const formOf = (fields: Form): string => JSON.stringify(Object.entries(fields).toSorted());

/**
 * The second of two clicks waits for the first one and goes where that one goes, for a moment as well where it comes too late
 * to wait: what it asks for is done. Known in one process; in another the form is judged as any other, which comes to the same
 * with a second letter, and of one that ended the session it came from the store knows (`ended`).
 */
export function createClicks<Next>() {
  const first = new Map<string, Promise<Next | undefined>>();

  /** @param take gives where to go, or undefined where it has answered: that is for the one who asked */
  return async (form: Form, take: () => Promise<Next | undefined>): Promise<Next | undefined> => {
    const id = sha256(formOf(form));
    const there = await first.get(id)?.catch(() => undefined);
    if (there !== undefined) return there;
    const going = take();
    first.set(id, going);
    setTimeout(() => first.get(id) === going && first.delete(id), DOUBLE_CLICK).unref();
    return going;
  };
}
