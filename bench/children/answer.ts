/** A child of the bench: answers one question after another, each by the handler it names. */
export function answer(handlers: Readonly<Record<string, (question: never) => unknown>>): void {
  process.on('message', async (question: { readonly ask: string }) => {
    try {
      process.send!({ answer: (await handlers[question.ask]!(question as never)) ?? null });
    } catch (error) {
      process.send!({ failure: (error as Error).stack ?? String(error) });
    }
  });
  process.on('disconnect', () => process.exit());
}
