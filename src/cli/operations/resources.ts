import { z } from 'zod';
import { seconds } from '../../lib/index.ts';
import { everyPage, operation } from './operation.ts';
import { resourceJson, signingAlg, text, texts } from './shapes.ts';

export const resources = {
  'resource.add': operation(
    z.strictObject({
      uri: text,
      name: text.optional(),
      scopes: texts.optional(),
      /** In seconds. */
      ttl: z.number().optional(),
      revocable: z.boolean().optional(),
      alg: signingAlg.optional(),
    }),
    async (domain, { ttl, ...args }) =>
      resourceJson(await domain.resources.add({ ...args, ...(ttl !== undefined && { ttl: seconds(ttl) }) })),
  ),
  'resource.list': operation(z.strictObject({}), async (domain) => {
    const all = await everyPage(async (page) => {
      const { resources: items, next } = await domain.resources.list(page);
      return { items, next };
    });
    return all.map(resourceJson);
  }),
  'resource.remove': operation(z.strictObject({ uri: text }), async (domain, { uri }) => {
    await domain.resources.remove(uri);
    return { uri, removed: true };
  }),
};
