import { z } from 'zod';
import { iso, Refusal } from '../lib/index.ts';
import { operation } from './operation.ts';
import { moment, text } from './shapes.ts';

const explanationShape = z
  .strictObject({
    id: z.string(),
    at: moment.nullable(),
    error: z.string(),
    sentence: z.string(),
    rule: z.string(),
    asked: z.record(z.string(), z.unknown()),
    registered: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Refusal' });

export const refusals = {
  explain: operation(z.strictObject({ id: text }), explanationShape, async (domain, { id }) => {
    const found = await domain.refusals.get(id);
    if (!found)
      throw new Refusal(
        'refusal_unknown',
        `nothing is known of ${JSON.stringify(id.slice(0, 80))}: refusals are kept for 7 days, the latest 10,000`,
      );
    const { at, error, sentence, rule, asked, registered } = found;
    return { id, at: iso(at), error, sentence, rule, asked, registered };
  }),
};
