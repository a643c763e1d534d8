import { Refusal } from '../../lib/index.ts';

/** A removal. Where another click, or another operator, was first, it is what was wanted. */
export async function gone(removal: Promise<unknown>, unknown: string): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!(error instanceof Refusal && error.code === unknown)) throw error;
  }
}
