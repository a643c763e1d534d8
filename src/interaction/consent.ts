import type { Context } from 'koa';
import type { PendingRequest } from '../engine/index.ts';
import { allowFormRedirect, type Form, sendOn } from '../http/index.ts';
import { type Interacting, ofPerson } from './context.ts';
import { loadRequest, type Step, type Taken } from './steps.ts';

/** Who the request is answered for, once that is known. */
const whoOf = ({ progress }: PendingRequest): string | undefined =>
  progress.missing === undefined ? progress.accountId : undefined;

/** It registered itself, and no operator has vouched for it since. */
const isUnknown = ({ registration }: PendingRequest['client']): boolean =>
  registration !== undefined && !registration.vouched;

/** May this application do what it asks for? */
export function consentStep(room: Interacting): Step {
  const { domain, interactions, pages, csrf } = room;

  /** The APIs asked for, in words; one without a scope of its own adds nothing a person could weigh. */
  function apis({ asked }: PendingRequest) {
    const named = Object.entries(asked.resources).filter(([, scopes]) => scopes.length > 0);
    return Promise.all(
      named.map(async ([uri, scopes]) => ({
        name: await domain.resources.nameOf(uri),
        uri,
        scopes,
      })),
    );
  }

  async function show(ctx: Context, request: PendingRequest): Promise<void> {
    const accountId = whoOf(request);
    const person = accountId ? await domain.accounts.get(accountId) : undefined;
    if (!person || person.disabled) {
      await interactions.anotherAccount(ctx);
      return sendOn(ctx, `/interaction/${request.uid}`);
    }
    const { client } = request;
    const action = `/interaction/${request.uid}/consent`;
    allowFormRedirect(ctx, request.redirectUri);
    pages.show(ctx, 'consent', {
      action,
      csrf: csrf.token(ctx, action, ofPerson(request.uid, person.id)),
      told: request.asked.words.join(' '),
      person: { email: person.email, name: person.name },
      client: { name: client.name, host: request.returnsTo, unknown: isUnknown(client) },
      scopes: request.asked.scopes,
      resources: await apis(request),
      firstTime: (await domain.consents.find(person.id, client.id)) === undefined,
    });
  }

  /** What each button does. */
  const decisions: Readonly<Record<string, (ctx: Context, accountId: string, form: Form) => Promise<Taken>>> = {
    allow: async (ctx, accountId, { told = '' }) => {
      await interactions.allow(ctx, accountId, told.split(' '));
      return 'next';
    },
    deny: async (ctx) => ({ to: await interactions.deny(ctx) }),
    switch: async (ctx) => {
      await interactions.anotherAccount(ctx);
      return 'next';
    },
  };

  return {
    name: 'consent',
    async isNext(ctx, request) {
      const accountId = whoOf(request);
      return accountId !== undefined && interactions.needsConsent(ctx, accountId);
    },
    show,

    async submit(ctx, uid, form) {
      const request = await loadRequest(ctx, room, uid);
      const accountId = whoOf(request);
      // Nobody is known yet, or not any more: back to whatever is missing.
      if (accountId === undefined) return 'next';
      // Bound to the interaction, whose cookie only this browser has, and to the person who was asked.
      csrf.check(ctx, form, ctx.path, ofPerson(uid, accountId), ctx.path);
      const decide = decisions[form['decision'] ?? ''];
      return decide ? decide(ctx, accountId, form) : 'next';
    },
  };
}
