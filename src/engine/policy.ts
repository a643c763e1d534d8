import { interactionPolicy as engine } from 'oidc-provider';

/** When a person has to be asked: the engine's own checks, one of ours, and `prompt=select_account` (OIDC Core §3.1.2.1). */
export function interactionPolicy() {
  const policy = engine.base();
  policy.get('login')?.checks.add(
    // Somebody is signed in who was disabled or removed, or whose sign-in no longer counts (engine/accounts.ts).
    new engine.Check('account_gone', 'the person who was signed in has to sign in again', 'login_required', (ctx) =>
      ctx.oidc.session?.accountId !== undefined && ctx.oidc.account === undefined
        ? engine.Check.REQUEST_PROMPT
        : engine.Check.NO_NEED_TO_PROMPT,
    ),
  );
  // Choosing is signing in: the page begins with who is signed in, and takes anybody.
  policy.add(new engine.Prompt({ name: 'select_account', requestable: true }), 0);
  return policy;
}
