import type { OperatorPage, OperatorRoom } from './operator.ts';

/** Why a request was refused, by the id that the error page shows. */
export const explainPage = ({ domain, pages }: OperatorRoom): OperatorPage => ({
  name: 'explain',
  async show(ctx, _me, frame) {
    const { id: asked } = ctx.query;
    const id = typeof asked === 'string' ? asked.trim() : '';
    const found = id === '' ? undefined : await domain.refusals.get(id);
    const error = id !== '' && !found ? { error: 'refusal_unknown' } : {};
    pages.show(ctx, 'admin-explain', { ...frame, ...error, id, found }, error.error === undefined ? 200 : 404);
  },
});
