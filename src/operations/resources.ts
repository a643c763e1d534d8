import { z } from 'zod';
import { Refusal, seconds } from '../lib/index.ts';
import { listing, operation } from './operation.ts';
import { resourceJson, resourceShape, signingAlg, text, texts } from './shapes.ts';

const one = z.strictObject({ uri: text });

const terms = z.strictObject({
  uri: text,
  name: text.nullish(),
  scopes: texts.optional(),
  ttl: z.number().nullish().describe('seconds a token lives; null: as the setting tokens.access says'),
  revocable: z.boolean().optional(),
  alg: signingAlg.optional(),
});

/** What an operator wrote, in the domain's words. */
const inDomain = ({ uri: _, ttl, ...args }: z.output<typeof terms>) => ({
  ...args,
  ttl: typeof ttl === 'number' ? seconds(ttl) : ttl,
});

const listed = listing(
  /^[a-zA-Z][\w+.-]*:/,
  async (domain, page) => {
    const { resources: items, next } = await domain.resources.list(page);
    return { items, next };
  },
  resourceShape,
  resourceJson,
);

export const resources = {
  'resource.add': operation(terms, resourceShape, async (domain, args) =>
    resourceJson(await domain.resources.add({ uri: args.uri, ...inDomain(args) })),
  ),
  'resource.update': operation(terms, resourceShape, async (domain, args) =>
    resourceJson(await domain.resources.update(args.uri, inDomain(args))),
  ),
  'resource.list': listed.list,
  'resource.page': listed.page,
  'resource.show': operation(one, resourceShape, async (domain, { uri }) => {
    const found = await domain.resources.get(uri);
    if (!found) throw new Refusal('resource_unknown', `there is no resource ${JSON.stringify(uri.slice(0, 200))}`);
    return resourceJson(found);
  }),
  'resource.remove': operation(one, one.extend({ removed: z.literal(true) }), async (domain, { uri }) => {
    await domain.resources.remove(uri);
    return { uri, removed: true } as const;
  }),
};
