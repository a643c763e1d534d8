/** Does what a program says with one sign-in, against a running set-up, and writes down what came of it. */
import type { Registered } from '../../support/client.ts';
import { type Answer, type Browser, type Code, post, reasonOf, redemption, refreshing, signOut } from '../calls.ts';
import type { Stage } from '../set-ups.ts';
import type { Act } from './history.ts';
import type { OfAToken, Wish } from './programs.ts';
import { Recorder } from './recorder.ts';

interface Options {
  readonly stage: Pick<Stage, 'issuer' | 'operate'>;
  readonly client: Registered;
  readonly browser: Browser;
  readonly code: Code;
  readonly name: string;
  /** Waited for before each call. */
  readonly ready: () => Promise<void>;
}

type Step = readonly Wish[];

export class Player {
  readonly recorder: Recorder;
  readonly #options: Options;
  /** Everybody whose sign-in ends when this one's person signs out. */
  #together: readonly Player[] = [];

  constructor(options: Options) {
    this.#options = options;
    this.recorder = new Recorder(options.name);
  }

  /** One browser, several applications: what ends one of them ends all. */
  static together(players: readonly Player[]): void {
    for (const player of players) player.#together = players;
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#options.ready();
      await Promise.all(step.map((wish) => this.#wish(wish)));
    }
  }

  /** Asks for everything there is: what must work, and then what must not. */
  async audit(): Promise<void> {
    const tokens = this.recorder.pairs;
    await Promise.all(tokens.map(({ access }) => this.#introspect(access)));
    for (const { refresh } of tokens) await this.#introspect(refresh);
    const last = tokens.at(-1);
    if (last) await this.#refresh(last.refresh);
    await this.#redeem();
    await Promise.all(this.recorder.pairs.map(({ access }) => this.#introspect(access)));
    const [first] = tokens;
    if (first) await this.#refresh(first.refresh);
  }

  /** The window is over, for everybody. */
  waited(): void {
    this.recorder.begin({ do: 'wait' })('ok');
  }

  #wish(wish: Wish): Promise<void> {
    switch (wish.do) {
      case 'redeem':
        return this.#redeem();
      case 'redeem wrongly':
        return this.#redeemWrongly();
      case 'sign out':
        return this.#end(() => signOut(this.#options.browser));
      case 'disable':
        return this.#end(() => this.#disable());
      default:
        return this.#ofAToken(wish);
    }
  }

  async #ofAToken(wish: OfAToken): Promise<void> {
    const { pairs } = this.recorder;
    // Whoever got no answer asks again.
    if (pairs.length === 0) return this.#redeem();
    const pair = { last: pairs.at(-1), previous: pairs.at(-2), first: pairs[0] }[wish.place];
    if (!pair) return;
    const token = pair[wish.kind];
    if (wish.do === 'refresh') return this.#refresh(token);
    return wish.do === 'introspect' ? this.#introspect(token) : this.#revoke(token);
  }

  #redeem(): Promise<void> {
    return this.#grant({ do: 'redeem' }, redemption(this.#options.code));
  }

  async #redeemWrongly(): Promise<void> {
    const wrong = { ...this.#options.code, verifier: 'x'.repeat(43) };
    await this.#grant({ do: 'redeem wrongly' }, redemption(wrong));
  }

  #refresh(token: string): Promise<void> {
    return this.#grant({ do: 'refresh', token: this.recorder.nameOf(token) }, refreshing(token));
  }

  async #grant(act: Act, form: Readonly<Record<string, string>>): Promise<void> {
    const end = this.recorder.begin(act);
    const answer = await this.#post('/token', form);
    if (answer.outcome !== 'ok') return conclude(end, answer);
    const { access_token: access = '', refresh_token: refresh = '' } = answer.body;
    end('ok', { gave: this.recorder.saw(access, refresh) });
  }

  async #introspect(token: string): Promise<void> {
    const end = this.recorder.begin({ do: 'introspect', token: this.recorder.nameOf(token) });
    const answer = await this.#post('/introspect', { token });
    if (answer.outcome !== 'ok') return conclude(end, answer);
    end((answer.body['active'] as unknown) === true ? 'active' : 'inactive');
  }

  async #revoke(token: string): Promise<void> {
    const end = this.recorder.begin({ do: 'revoke', token: this.recorder.nameOf(token) });
    conclude(end, await this.#post('/revoke', { token }));
  }

  async #end(work: () => Promise<unknown>): Promise<void> {
    const ends = this.#together.map(({ recorder }) => recorder.begin({ do: 'end' }));
    const why = await work().then(() => undefined, reasonOf);
    for (const end of ends) end(why ? 'unknown' : 'ok', why ? { why } : {});
  }

  async #disable(): Promise<void> {
    const user = this.#options.browser.email;
    await this.#options.stage.operate('user.disable', { user });
  }

  #post(path: string, form: Readonly<Record<string, string>>): Promise<Answer> {
    return post(`${this.#options.stage.issuer}${path}`, this.#options.client, form);
  }
}

function conclude(end: ReturnType<Recorder['begin']>, answer: Answer): void {
  if (answer.outcome === 'odd') end('unknown', { odd: answer.why });
  else if (answer.outcome === 'unknown') end('unknown', { why: answer.why });
  else end(answer.outcome);
}
