import { perform } from '../../operations/index.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';
import { merged, seenOf } from './seen.ts';
import { kindShown, said, upstreamFields, upstreamShown, upstreamTermsIn } from './upstream-terms.ts';

/** One provider: what is known of it, what is to be registered there, its terms to be changed. */
export const upstreamPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'upstreams/:id',
  async show(ctx, _me, frame, form) {
    const upstream = await domain.upstreams.get(ctx['params'].id);
    if (!upstream) return pages.show(ctx, 'not-found', {}, 404);
    const { id, name, kind, issuer, sealedSecret, createdAt, updatedAt } = upstream;
    const now = upstreamShown(upstream);
    pages.show(ctx, 'admin-upstream', {
      ...frame,
      id,
      called: name,
      kind: kindShown(kind),
      issuer,
      callback: domain.upstreams.callbackOf(id),
      hasSecret: sealedSecret !== undefined,
      linked: await domain.upstreams.links(id),
      createdAt,
      updatedAt,
      seen: seenOf(now),
      // What was typed about the one that had this id before is not for this one.
      terms: form?.['since'] === String(createdAt) ? merged(upstreamFields(form), now, form['seen']).fields : now,
      typedSecret: form !== undefined && said(form, 'client_secret') !== undefined,
    });
  },
  decisions: {
    async save(ctx, _me, form) {
      const upstream = await domain.upstreams.get(ctx['params'].id);
      if (!upstream) return { error: 'upstream_unknown' };
      const { id, createdAt } = upstream;
      const now = upstreamShown(upstream);
      const { fields, clash } = merged(upstreamFields(form), now, form['seen']);
      // Of another provider that has its id since, it would be somebody else's secret.
      if (clash || form['since'] !== String(createdAt)) return { error: 'conflict' };
      const secret = said(form, 'client_secret');
      const terms = Object.entries(upstreamTermsIn(fields)).filter(
        ([name]) => fields[name as keyof typeof fields] !== now[name as keyof typeof now],
      );
      if (terms.length > 0 || secret !== undefined)
        await perform(domain, 'upstream.update', { id, ...Object.fromEntries(terms), client_secret: secret });
      return { to: `upstreams/${id}`, done: 'upstream_saved' };
    },
  },
});
