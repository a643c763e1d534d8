import { besideOne, helper, ONE } from '../cores.ts';
import { load } from '../loads.ts';
import { interleave } from '../measure.ts';
import { deploy, run } from '../postern.ts';
import { perSecond, share } from '../table.ts';
import type { Row } from './row.ts';

const document = (name: string, path: string, barePath = path): Row => ({
  name,
  async measure() {
    const deployment = await deploy();
    const postern = await run(deployment, ONE);
    const engine = helper('bare-engine', ONE);
    const engineUrl = await engine.ask<string>({ ask: 'serve' });
    const bytes = (await (await fetch(`${postern.url}${path}`)).arrayBuffer()).byteLength;
    const http = helper('bare-http', ONE);
    const httpUrl = await http.ask<string>({ ask: 'serve', bytes });
    const asking = load(besideOne);
    await asking.keep('postern', { kind: 'same', method: 'GET', path });
    await asking.keep('bare', { kind: 'same', method: 'GET', path: barePath });
    try {
      for (const [script, url] of [
        ['postern', postern.url],
        ['postern', httpUrl],
        ['bare', engineUrl],
      ] as const)
        await asking.closed(script, url, 2);
      const { limit, work } = await interleave(5, () => asking.closed('postern', httpUrl, 1.5), {
        postern: () => asking.closed('postern', postern.url, 1.5),
        bare: () => asking.closed('bare', engineUrl, 1.5),
      });
      return [
        {
          work: `${path}, one core`,
          limit: `bare node:http, ${bytes} bytes: ${perSecond(limit)}`,
          bare: share(work['bare']!),
          postern: share(work['postern']!),
          goal: '≥ 80 %',
          reached: work['postern']!.share.median >= 0.8,
        },
      ];
    } finally {
      await Promise.all([asking.stop(), postern.stop(), engine.stop(), http.stop()]);
      deployment.remove();
    }
  },
});

export const documents: readonly Row[] = [
  document('jwks', '/.well-known/jwks.json', '/jwks'),
  document('discovery', '/.well-known/openid-configuration'),
];
