import { Refusal } from '../lib/index.ts';

/** Does it, or gives the word for why the domain refused: `words` by the refusals' codes. Anything else is thrown on. */
export async function orTold<R, Word extends string>(
  words: Readonly<Record<string, Word>>,
  act: () => Promise<R>,
): Promise<R | { readonly error: Word }> {
  try {
    return await act();
  } catch (error) {
    const known = error instanceof Refusal && words[error.code];
    if (!known) throw error;
    return { error: known };
  }
}
