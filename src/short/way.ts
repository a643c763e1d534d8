import type { Settings } from '../config/index.ts';
import type { Domain, RegisteredClient } from '../domain/index.ts';
import type { OpenArtifact, ResourceServers, SealArtifact } from '../engine/index.ts';
import type { Clock } from '../lib/index.ts';
import type { Store } from '../store/index.ts';
import type { Grounds } from './grounds.ts';

/** The parameters of a form, each of them once and none empty. */
export type Form = Readonly<Record<string, string | undefined>>;

/** A plain request of a client that has proven who it is, as far as clients of its kind can. */
export interface Asked {
  readonly client: RegisteredClient;
  readonly form: Form;
  /** To be read from by a way that answers the same again. */
  readonly grounds: Grounds;
  /** The request as whoever answers it the whole way knows it too. */
  readonly request: object;
  /** The IP address it comes from. */
  readonly address: string;
}

/** What is answered with status 200, as JSON. */
export type Answer = object;

/** Makes the text of such an answer, another one each time. What fails in it may be told as a failure: it fails the whole way too. */
export type Maker = () => Promise<string>;

/** One thing that is asked all day, at one endpoint. */
export interface ShortWay {
  readonly path: '/token' | '/introspect';
  /** Which of the requests to this endpoint it is; undefined where they have no `grant_type`. */
  readonly grantType?: string;
  /**
   * Whether what it decides is the same as long as all it rests on is: it changes nothing, tells of no time that passes, and
   * reads rows by {@link Asked.grounds}, each before it is judged. Beside rows it may rest on the published keys.
   */
  readonly lasts?: true;
  /** The parameters it understands beside those that say who asks. */
  readonly parameters: readonly string[];
  /**
   * The answer; of a way that lasts perhaps what makes it. Undefined, or whatever is thrown, sends the
   * request the whole way: nothing was changed then. Thrown by the store because it is unavailable, it is told as that:
   * nobody knows what was changed.
   */
  answer(asked: Asked): Promise<Answer | Maker | undefined>;
}

/** What a way that goes on with somebody's sign-in needs. */
export interface Means {
  readonly domain: Pick<Domain, 'accounts' | 'consents' | 'keys' | 'sessions'>;
  readonly store: Store;
  readonly open: OpenArtifact;
  readonly seal: SealArtifact;
  readonly servers: Pick<ResourceServers, 'serverFor' | 'defaultFor'>;
  readonly issuer: string;
  readonly lifetimes: Settings['tokens'];
  readonly now: Clock;
  /** Called for each token that was issued, with the grant type. */
  readonly onTokens: (grantType: string) => void;
}
