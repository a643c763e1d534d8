import { z } from 'zod';
import { operation } from './operation.ts';
import { keyJson, signingAlg, text } from './shapes.ts';

const alg = signingAlg.optional();

export const keys = {
  'keys.list': operation(z.strictObject({}), async (domain) => domain.keys.list().map(keyJson)),
  'keys.rotate': operation(z.strictObject({ alg }), async (domain, args) =>
    keyJson(await domain.keys.rotate(args.alg)),
  ),
  'keys.revoke': operation(z.strictObject({ kid: text }), async (domain, { kid }) => {
    await domain.keys.revoke(kid);
    return { kid, revoked: true };
  }),
  'keys.import': operation(z.strictObject({ pem: z.string().max(100_000), alg }), async (domain, args) =>
    keyJson(await domain.keys.importPem(args.pem, args.alg)),
  ),
};
