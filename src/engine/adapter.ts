import { type Adapter, type AdapterPayload, errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { type Clock, inTimeOf, type SealingKey, seconds, sha256 } from '../lib/index.ts';
import type { Artifact, Put, Row } from '../store/index.ts';
import { artifacts, CLOCK_TOLERANCE } from './artifacts.ts';
import { claimsIn } from './jwt.ts';
import { MODELS } from './models.ts';
import { mergeSession } from './session-merge.ts';
import { currentUnit } from './unit.ts';

const REVOCABLE = ['authorization_codes', 'device_codes', 'access_tokens', 'refresh_tokens'] as const;

/** What is not made again once it has ended. */
const MORTAL: ReadonlySet<string> = new Set(['Grant', 'Interaction']);

interface ArtifactOptions {
  /** The engine's model. */
  readonly name: string;
  readonly key: SealingKey;
  readonly now: Clock;
  /** Ends what was issued under a grant, whenever it came. */
  readonly endTokens: (grantId: string) => Promise<void>;
}

/** The engine's storage on the unit of work. */
export function artifactAdapter({ name, key, now, endTokens }: ArtifactOptions): Adapter {
  const model = MODELS[name];
  if (!model) throw new Error(`the model ${name} is not kept`);
  const { open, seal } = artifacts(key, now);
  const { table } = model;

  const found = (row: Row<Artifact> | undefined) => row && open(table, row);

  const toPut = (id: string, payload: AdapterPayload) => seal(name, id, payload);

  return {
    async upsert(id, payload) {
      const unit = currentUnit();
      const { expiresAt, ...put } = toPut(id, payload);
      if (name !== 'Session') {
        // A grant that ended, or an interaction another click finished, is not brought back: the request is answered
        // anew (unit.ts).
        return unit.put(table, put.id, put.record, {
          expiresAt,
          ...(MORTAL.has(name) && { when: 'update' }),
        });
      }
      await unit.get('sessions', put.id);
      unit.put('sessions', put.id, put.record, {
        expiresAt,
        when: 'update',
        onConflict: (fresh) =>
          mergeSession(
            payload,
            fresh && open(table, fresh),
            fresh?.version,
            (merged) => toPut(id, merged) as Put<'sessions'>,
          ),
      });
    },

    find: async (id) => found(await currentUnit().get(table, sha256(id))),

    async findByUid(uid) {
      const [row] = await currentUnit().find('sessions', 'uid', sha256(uid));
      return found(row);
    },

    findByUserCode: () => Promise.reject(new Error('codes that people type are looked up in devices.ts')),

    async consume(id) {
      const unit = currentUnit();
      const rowId = sha256(id);
      const row = await unit.get(table, rowId);
      const refuse = () => model.alreadyUsed?.() ?? new errors.InvalidGrant(`${name} already used`);
      if (!row || row.record.consumedAt) throw refuse();
      unit.put(
        table,
        rowId,
        { ...row.record, consumedAt: now() },
        {
          ...(row.expiresAt === undefined ? {} : { expiresAt: row.expiresAt }),
          when: 'update',
          onConflict: () => Promise.reject(refuse()),
        },
      );
    },

    async destroy(id) {
      // Sessions change their id by being removed and put: whoever does that to one another tab has changed begins again.
      const shared = name === 'Session' || name === 'Interaction';
      currentUnit().remove(table, sha256(id), { urgent: !shared, ...(shared && { when: 'update' }) });
    },

    async revokeByGrantId(grantId) {
      if (!(REVOCABLE as readonly string[]).includes(table)) return;
      const unit = currentUnit();
      const tokens = table as (typeof REVOCABLE)[number];
      for (const { id } of await unit.find(tokens, 'grantId', grantId)) unit.remove(tokens, id, { urgent: true });
      // A refresh under way may have put its successor meanwhile: dead without its grant, and of no use to keep.
      unit.afterCommit(`revoke ${grantId}`, () => endTokens(grantId));
    },
  };
}

/** Assertions and DPoP proofs (the engine's ReplayDetection): each is seen once, whoever asks at the same moment. */
export function seenAdapter(now: Clock): Adapter {
  const unused = () => Promise.reject(new Error('a seen assertion is only ever added'));
  return {
    async upsert(id, { iss, exp }) {
      if (Provider.ctx?.state['proofSeen']) return;
      const alreadySeen = seenTwice(Provider.ctx, id);
      currentUnit().put(
        'seen',
        sha256(id),
        { issuer: iss ?? '' },
        {
          expiresAt: inTimeOf(now, seconds(exp ?? 0)) + CLOCK_TOLERANCE,
          when: 'once',
          urgent: true,
          onConflict: () => Promise.reject(alreadySeen()),
        },
      );
    },
    async find(id) {
      // The answer is made a second time for the same request: what it saw the first time is its own.
      if (Provider.ctx?.state['proofSeen']) return undefined;
      if (await currentUnit().get('seen', sha256(id))) throw seenTwice(Provider.ctx, id)();
      return undefined;
    },
    findByUid: unused,
    findByUserCode: unused,
    consume: unused,
    destroy: unused,
    revokeByGrantId: unused,
  };
}

/**
 * Who comes with an assertion (RFC 7523 §3) or a DPoP proof (RFC 9449 §4.3) that was seen, later or in the same moment, is told
 * which. The engine says `invalid_grant` of a proof: a request that was only delivered twice would have its client sign
 * people out, where a new proof is all it needs (§5).
 */
const seenTwice = (ctx: KoaContextWithOIDC | undefined, id: string) => (): Error =>
  ctx && id === idOfProof(ctx)
    ? new errors.InvalidDpopProof('the DPoP proof was already used')
    : new errors.InvalidClientAuth('the assertion was already used');

/** The engine names either by its client and its `jti`. */
function idOfProof(ctx: KoaContextWithOIDC): string | undefined {
  const { AccessToken: token, Client: client } = ctx.oidc.entities;
  const jti = claimsIn(ctx.get('DPoP'))?.['jti'];
  return jti === undefined ? undefined : sha256(`${token?.clientId ?? client?.clientId}${jti}`);
}
