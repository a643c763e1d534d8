import type { Domain } from '../../domain/index.ts';
import { perform } from '../../operations/index.ts';
import { KIND_NAMES, kindOf } from '../../upstream/index.ts';
import type { OperatorPage, OperatorRoom } from './operator.ts';
import { kindShown, said, upstreamFields, upstreamTermsIn } from './upstream-terms.ts';

/** Adding a provider: of which kind, and then what there is to say of one of that kind. */
export const newUpstreamPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'upstreams/new',
  async show(ctx, _me, frame, form) {
    const name = form ? form['kind'] : ctx.query['kind'];
    const kind = typeof name === 'string' ? kindOf(name) : undefined;
    if (!kind || typeof name !== 'string')
      return pages.show(ctx, 'admin-upstream-kind', { ...frame, kinds: KIND_NAMES.map(kindShown) });
    const id = (form && said(form, 'id')) ?? freeId(domain, name);
    const { place } = kind;
    pages.show(ctx, 'admin-upstream-new', {
      ...frame,
      kind: kindShown(name),
      id,
      callback: domain.upstreams.callbackOf(id),
      place: place && { ...place, value: form?.[place.by] ?? '' },
      terms: form
        ? upstreamFields(form)
        : {
            // Where it may be anybody's, what its kind is called says nothing on a button.
            name: place?.needed ? '' : kind.name,
            client_id: '',
            scopes: kind.scopes.join(' '),
            trust_email: false,
            sign_up: false,
          },
      typedSecret: form !== undefined && said(form, 'client_secret') !== undefined,
    });
  },
  decisions: {
    async add(_ctx, _me, form) {
      const id = form['id']?.trim() ?? '';
      await perform(domain, 'upstream.add', {
        id,
        kind: form['kind'] ?? '',
        issuer: said(form, 'issuer'),
        tenant: said(form, 'tenant'),
        client_secret: said(form, 'client_secret'),
        ...upstreamTermsIn(upstreamFields(form)),
      });
      return { to: `upstreams/${id}`, done: 'upstream_added' };
    },
  },
});

/** What it may be called in paths: as its kind, with a number where another one is. */
function freeId({ upstreams }: Pick<Domain, 'upstreams'>, kind: string): string {
  const taken = new Set(upstreams.list().map(({ id }) => id));
  let id = kind;
  for (let n = 2; taken.has(id); n += 1) id = `${kind}-${n}`;
  return id;
}
