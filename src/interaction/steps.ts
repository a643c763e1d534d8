import type { Context } from 'koa';
import type { PendingRequest } from '../engine/index.ts';
import { HttpRefusal, stateOf } from '../http/index.ts';
import { Refusal } from '../lib/index.ts';
import { type Interacting, sendOn } from './context.ts';

/** One thing asked of a person. */
export interface Step {
  /** Names the view and the last part of the form's path. */
  readonly name: string;
  /** Whether it is this that is missing now. */
  isNext(ctx: Context, request: PendingRequest): Promise<boolean>;
  /** Asks. */
  show(ctx: Context, request: PendingRequest): Promise<void>;
  /** Takes the form, changes what is stored, and sends the person back to the dispatcher or to the engine. */
  submit(ctx: Context, uid: string): Promise<void>;
}

/** Reads what is stored and shows the step that is missing; where none is, the engine goes on. */
export async function nextStep(ctx: Context, room: Interacting, steps: readonly Step[], uid: string): Promise<void> {
  const request = await loadRequest(ctx, room, uid);
  for (const step of steps) if (await step.isNext(ctx, request)) return step.show(ctx, request);
  sendOn(ctx, await room.interactions.finish(ctx));
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
    if (!(error instanceof Refusal) || error.code !== 'request_expired') throw error;
    throw new HttpRefusal('request_expired', 'This sign-in took too long or was already finished.', {
      status: 400,
      reason: 'expired',
      rule: error.message,
      cause: error,
    });
  }
}
