import type { Context } from 'koa';
import type { DeviceOutcome } from '../engine/index.ts';
import { readForm, sendOn, stateOf } from '../http/index.ts';
import type { Interacting } from './context.ts';

const PATH = '/device';
const OUTCOMES: readonly DeviceOutcome[] = ['allowed', 'denied', 'failed', 'over'];

/** One path below /device, and what it answers to GET and POST. */
interface DevicePage {
  readonly path: string;
  show(ctx: Context): Promise<void> | void;
  submit?(ctx: Context): Promise<void>;
}

/**
 * Where people type the code that a device shows (RFC 8628 §3.3), and are told what came of it. In between they sign in and
 * allow as for any application.
 */
export function devicePages({ domain, devices, pages, csrf, mark }: Interacting): readonly DevicePage[] {
  type Failure = { readonly error: 'wrong' | { readonly tooMany: number }; readonly status: number };

  function ask(ctx: Context, code: string, { error, status }: Partial<Failure> = {}): void {
    pages.show(ctx, 'device', { action: PATH, csrf: csrf.token(ctx, PATH), code, error }, status);
  }

  async function begin(ctx: Context, code: string): Promise<Failure | string> {
    const tried = await domain.deviceRequests.tried(stateOf(ctx).address ?? '');
    if (tried.wait !== undefined) {
      ctx.set('Retry-After', String(tried.wait));
      return { error: { tooMany: Math.ceil(tried.wait / 60) }, status: 429 };
    }
    const to = await devices.begin(code, mark.id(ctx));
    if (to) await tried.giveBack();
    return to ?? { error: 'wrong', status: 400 };
  }

  return [
    {
      path: PATH,
      show(ctx) {
        // A device may show an address that has the code in it (RFC 8628 §3.3.1): nothing is looked up until it is sent.
        const { user_code: code } = ctx.query;
        ask(ctx, typeof code === 'string' ? code.slice(0, 40) : '');
      },
      async submit(ctx) {
        const form = await readForm(ctx);
        csrf.check(ctx, form, PATH, undefined, PATH);
        const { user_code: code = '' } = form;
        const to = await begin(ctx, code);
        if (typeof to === 'string') sendOn(ctx, to);
        else ask(ctx, code, to);
      },
    },
    {
      path: `${PATH}/signed-in`,
      async show(ctx) {
        sendOn(ctx, `${PATH}/${await devices.settle(new URLSearchParams(ctx.querystring), mark.read(ctx))}`);
      },
    },
    {
      // Whatever else is below is the engine's way of asking what we ask.
      path: `${PATH}/:what`,
      show: (ctx) => tellOutcome(ctx, ctx.path.split('/')[2]),
    },
  ];

  function tellOutcome(ctx: Context, said: string | undefined): void {
    const what = OUTCOMES.find((outcome) => outcome === said);
    if (what) pages.show(ctx, 'device-done', { what, again: PATH });
    else pages.show(ctx, 'not-found', {}, 404);
  }
}
