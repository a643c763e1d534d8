import type { RegisteredClient } from '../domain/index.ts';

/** The parameters of a form, each of them once and none empty. */
export type Form = Readonly<Record<string, string | undefined>>;

/** A plain request of a client that has proven who it is, as far as clients of its kind can. */
export interface Asked {
  readonly client: RegisteredClient;
  readonly form: Form;
}

/** One thing that is asked all day, at one endpoint. */
export interface ShortWay {
  readonly path: '/token' | '/introspect';
  /** Which of the requests to this endpoint it is; undefined where they have no `grant_type`. */
  readonly grantType?: string;
  /** The parameters it understands beside those that say who asks. */
  readonly parameters: readonly string[];
  /**
   * The answer with status 200, as JSON. Undefined, or whatever is thrown, sends the request the whole way: nothing may
   * have been changed then.
   */
  answer(asked: Asked): Promise<object | undefined>;
}
