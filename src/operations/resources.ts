import { z } from 'zod';
import { seconds } from '../lib/index.ts';
import { listing, operation } from './operation.ts';
import { resourceJson, signingAlg, text, texts } from './shapes.ts';

const terms = z.strictObject({
  uri: text,
  name: text.nullish(),
  scopes: texts.optional(),
  /** In seconds. */
  ttl: z.number().nullish(),
  revocable: z.boolean().optional(),
  alg: signingAlg.optional(),
});

/** What an operator wrote, in the domain's words. */
const inDomain = ({ uri: _, ttl, ...args }: z.output<typeof terms>) => ({
  ...args,
  ttl: typeof ttl === 'number' ? seconds(ttl) : ttl,
});

const listed = listing(async (domain, page) => {
  const { resources: items, next } = await domain.resources.list(page);
  return { items, next };
}, resourceJson);

export const resources = {
  'resource.add': operation(terms, async (domain, args) =>
    resourceJson(await domain.resources.add({ uri: args.uri, ...inDomain(args) })),
  ),
  'resource.update': operation(terms, async (domain, args) =>
    resourceJson(await domain.resources.update(args.uri, inDomain(args))),
  ),
  'resource.list': listed.list,
  'resource.page': listed.page,
  'resource.remove': operation(z.strictObject({ uri: text }), async (domain, { uri }) => {
    await domain.resources.remove(uri);
    return { uri, removed: true };
  }),
};
