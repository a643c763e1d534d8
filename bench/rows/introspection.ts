import { besideOne, helper, ONE } from '../cores.ts';
import { load } from '../loads.ts';
import { interleave } from '../measure.ts';
import { type Deployment, deploy, run, signIn } from '../postern.ts';
import { FORM, type Script } from '../scripts.ts';
import { perSecond, share } from '../table.ts';
import type { Row } from './row.ts';

async function accessToken({ web }: Deployment, url: string, refreshToken: string): Promise<string> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken });
  const answer = await fetch(`${url}/token`, { method: 'POST', headers: { Authorization: web.authorization }, body });
  return ((await answer.json()) as { access_token: string }).access_token;
}

/** A person's access token, which is on record: signature, record, grant and client are looked at each time. */
const live: Row = {
  name: 'introspection',
  async measure() {
    const deployment = await deploy({ people: 1 });
    const postern = await run(deployment, ONE);
    const { tokens } = await signIn(deployment);
    const token = await accessToken(deployment, postern.url, tokens[0]!);
    const script: Script = {
      kind: 'same',
      method: 'POST',
      path: '/introspect',
      headers: { ...FORM, Authorization: deployment.web.authorization },
      body: `token=${token}`,
    };
    const answer = await fetch(`${postern.url}/introspect`, {
      method: 'POST',
      headers: script.headers!,
      body: script.body!,
    });
    const text = await answer.text();
    if (!text.includes('"active":true')) throw new Error(`not a live token: ${text}`);
    const http = helper('bare-http', ONE);
    const httpUrl = await http.ask<string>({ ask: 'serve', bytes: Buffer.byteLength(text) });
    const asking = load(besideOne);
    await asking.keep('introspect', script);
    try {
      await asking.closed('introspect', postern.url, 3);
      await asking.closed('introspect', httpUrl, 2);
      const { limit, work } = await interleave(5, () => asking.closed('introspect', httpUrl, 2), {
        postern: () => asking.closed('introspect', postern.url, 2),
      });
      return [
        {
          work: 'introspection of a live token, one core',
          limit: `bare node:http, ${text.length} bytes: ${perSecond(limit)}`,
          postern: share(work['postern']!),
          goal: '≥ 50 %',
          reached: work['postern']!.share.median >= 0.5,
        },
      ];
    } finally {
      await Promise.all([asking.stop(), postern.stop(), http.stop()]);
      deployment.remove();
    }
  },
};

export const introspection: readonly Row[] = [live];
