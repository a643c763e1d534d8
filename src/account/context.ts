import type { Context } from 'koa';
import type { Settings } from '../config/index.ts';
import type { Interactions } from '../engine/index.ts';
import type { Device } from '../http/index.ts';
import type { OwnRoom } from './own/index.ts';

/** What the pages are given. */
export interface AccountRoom extends OwnRoom {
  readonly settings: Pick<Settings, 'sign_up'>;
  readonly interactions: Pick<Interactions, 'isPending'>;
  readonly device: Device;
}

/** One page: shown by GET; its form, where it has one, taken by POST at the same path. */
export interface Page {
  /** `/account`, or something below it. */
  readonly path: string;
  show(ctx: Context): Promise<void>;
  submit?(ctx: Context): Promise<void>;
}
