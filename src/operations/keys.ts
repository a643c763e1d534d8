import { z } from 'zod';
import { operation } from './operation.ts';
import { keyJson, keyShape, signingAlg, text } from './shapes.ts';

const alg = signingAlg.optional();
const one = z.strictObject({ kid: text });

export const keys = {
  'keys.list': operation(z.strictObject({}), z.array(keyShape), async (domain) => domain.keys.list().map(keyJson)),
  'keys.rotate': operation(z.strictObject({ alg }), keyShape, async (domain, args) =>
    keyJson(await domain.keys.rotate(args.alg)),
  ),
  'keys.revoke': operation(one, one.extend({ revoked: z.literal(true) }), async (domain, { kid }) => {
    await domain.keys.revoke(kid);
    return { kid, revoked: true } as const;
  }),
  'keys.import': operation(z.strictObject({ pem: z.string().max(100_000), alg }), keyShape, async (domain, args) =>
    keyJson(await domain.keys.importPem(args.pem, args.alg)),
  ),
};
