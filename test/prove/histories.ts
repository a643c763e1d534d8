import { check, inWords, told, whys } from './history/check.ts';
import { Load } from './load.ts';
import { part } from './part.ts';
import { ALL } from './set-ups.ts';

interface Numbers {
  readonly signIns: number;
  readonly browsers: number;
}

export const histories = part<Numbers>({
  name: 'histories',
  promise:
    'whatever clients do at once, and do again, the answers are those of one that does one thing after the other',
  setUps: ALL,
  inShort: ['file', 'cluster'],
  short: { signIns: 36, browsers: 6 },
  full: { signIns: 1000, browsers: 8 },
  async prove({ seed, open }, { signIns, browsers }) {
    const stage = await open({
      people: browsers,
      clients: 9,
      env: { POSTERN_TOKENS_ACCESS: '10h', POSTERN_TOKENS_CODE: '10h' },
    });
    const load = new Load(stage, { seed, browsers });
    await load.rounds(signIns, async () => {
      await Promise.all(stage.servers.map((server) => server.move({ wall: 31_000, monotonic: 31_000 })));
    });
    const verdict = check(load.families);
    // Nothing failed here, so nothing may have been left open.
    const held = verdict.found.length === 0 && verdict.unknown === 0;
    return [
      {
        fact: 'random histories',
        figure: inWords(verdict),
        held,
        detail: [told(verdict), ...whys(load.families), ...load.stumbles, ...stage.errors()].join('\n'),
      },
    ];
  },
});
