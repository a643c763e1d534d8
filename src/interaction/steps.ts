import type { Context } from 'koa';
import type { PendingRequest } from '../engine/index.ts';
import { type Form, HttpRefusal, sendOn, stateOf } from '../http/index.ts';
import { Refusal } from '../lib/index.ts';
import type { Interacting } from './context.ts';
import { overHere } from './over.ts';

/**
 * What became of a form. `next`: what is stored may have changed, see what is missing now. `shown`: it was answered with a
 * page, such as the form once more. `to`: the person leaves the interaction.
 */
export type Taken = 'next' | 'shown' | { readonly to: string };

/** One thing asked of a person. */
export interface Step {
  /** Names the view and the last part of the form's path. */
  readonly name: string;
  /** Whether it is this that is missing now. */
  isNext(ctx: Context, request: PendingRequest): Promise<boolean>;
  /** Asks. */
  show(ctx: Context, request: PendingRequest): Promise<void>;
  /** Takes the form and changes what is stored. */
  submit(ctx: Context, uid: string, form: Form): Promise<Taken>;
}

const addressOf = (uid: string): string => `/interaction/${encodeURIComponent(uid)}`;

/** Reads what is stored and shows the step that is missing; where none is, the engine goes on. */
export async function nextStep(ctx: Context, room: Interacting, steps: readonly Step[], uid: string): Promise<void> {
  const request = await loadRequest(ctx, room, uid);
  for (const step of steps) if (await step.isNext(ctx, request)) return step.show(ctx, request);
  await finish(ctx, room, request);
}

/** Has a step take its form, and goes on from what is stored then. */
export async function takeForm(
  ctx: Context,
  room: Interacting,
  steps: readonly Step[],
  step: Step,
  uid: string,
  form: Form,
): Promise<void> {
  const taken = await refusingExpired(() => step.submit(ctx, uid, form));
  if (taken === 'shown') return;
  if (taken !== 'next') return sendOn(ctx, taken.to);
  const request = await loadRequest(ctx, room, uid);
  for (const each of steps) if (await each.isNext(ctx, request)) return sendOn(ctx, addressOf(uid));
  await finish(ctx, room, request);
}

async function finish(ctx: Context, { interactions, people }: Interacting, { progress, remember }: PendingRequest) {
  if (remember && progress.missing === undefined) people.add(ctx, progress.accountId);
  sendOn(ctx, await refusingExpired(() => interactions.finish(ctx)));
}

/** @throws HttpRefusal 400 where the request is over, was never this browser's, or its session has ended */
export async function loadRequest(ctx: Context, { interactions }: Interacting, uid: string): Promise<PendingRequest> {
  const request = await refusingExpired(() => interactions.load(ctx, uid));
  stateOf(ctx).clientId = request.client.id;
  ctx.state['uiLocales'] = request.uiLocales;
  return request;
}

/** Turns the engine's word for a request that is over into a page. */
export async function refusingExpired<R>(step: () => Promise<R>): Promise<R> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof Refusal) || error instanceof HttpRefusal || error.code !== 'request_expired') throw error;
    throw overHere(error);
  }
}
