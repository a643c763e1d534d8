import { createPrivateKey, type KeyObject, verify } from 'node:crypto';
import {
  type Clock,
  type Duration,
  hours,
  type Logger,
  minutes,
  Refusal,
  type SealingKey,
  seconds,
} from '../lib/index.ts';
import { type Change, type Put, type Row, type SigningKey, type Store, StoreConflict } from '../store/index.ts';
import type { Audit } from './audit.ts';
import { ALGORITHMS } from './key-algorithms.ts';
import { type KeyState, type KeyView, keyOpener, newKey, type PublishedKey, viewOf } from './signing-key.ts';

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly log: Logger;
  /** Of what an operator does to them; that they turn by age is no event. */
  readonly audit: Pick<Audit, 'record'>;
  readonly sealingKey: SealingKey;
  /** Age at which the signing key is replaced. */
  readonly rotateAfter: Duration;
  /** How long a new key is in the JWKS before it signs: longer than anyone may cache the JWKS. */
  readonly publishAhead: Duration;
  /** The longest life of anything it signed: so long a retired key still verifies. */
  readonly verifyFor: Duration;
  /** What is due by age is left to whoever serves. */
  readonly visiting?: boolean;
}

export type Keys = Awaited<ReturnType<typeof openKeys>>;

/**
 * The keys that sign tokens. Each is first published, then signs, then only verifies (its private part is destroyed),
 * then is dropped; which of these it is follows from the stored times alone, so a restart or a second process agrees.
 * An RS256 key that signs always exists.
 */
export async function openKeys(options: Options) {
  const { store, now, log, audit, sealingKey, rotateAfter, publishAhead, verifyFor, visiting = false } = options;
  let published: readonly PublishedKey[] = [];
  /** All that was due by then is done. */
  let tendedAt = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const listeners = new Set<(keys: readonly PublishedKey[]) => void>();
  const opener = keyOpener(sealingKey);

  const view = (all: readonly Row<SigningKey>[], row: Row<SigningKey>) => viewOf(all, row, now(), verifyFor);
  const make = (alg: SigningKey['alg'], signsFrom: number, brought?: KeyObject) =>
    newKey({ alg, createdAt: now(), signsFrom }, sealingKey, brought);

  async function rows(): Promise<Row<SigningKey>[]> {
    const { rows } = await store.find('signing_keys', 'all', '', { limit: 1000 });
    return rows.toSorted((a, b) => a.record.signsFrom - b.record.signsFrom || a.version - b.version);
  }

  /** Puts the row back as it is: the commit then fails if anybody else rotated meanwhile. */
  const unchanged = (row: Row<SigningKey>): Change => ({
    put: 'signing_keys',
    id: row.id,
    record: row.record,
    expect: row.version,
  });

  async function rotate(alg: SigningKey['alg'] = 'RS256'): Promise<KeyView> {
    return add(await make(alg, now() + publishAhead), alg, 'rotated');
  }

  async function add(key: Put<'signing_keys'>, alg: SigningKey['alg'], how: 'rotated' | 'imported'): Promise<KeyView> {
    const all = await rows();
    if (all.some((row) => row.id === key.id)) throw new Refusal('key_exists', `the key ${key.id} is here already`);
    const newest = all.filter(({ record }) => record.alg === alg).at(-1);
    if (newest && newest.record.signsFrom > now()) {
      throw new Refusal(
        'key_pending',
        `the key ${newest.id} is published already and signs from ${new Date(newest.record.signsFrom).toISOString()}`,
      );
    }
    const event = audit.record(`key.${how}`, { details: { kid: key.id, alg } });
    await store.commit([key, ...(newest ? [unchanged(newest)] : []), event]);
    log.info({ kid: key.id, alg, signsFrom: new Date(key.record.signsFrom).toISOString() }, `signing key ${how}`);
    await refresh();
    return find(key.id);
  }

  function find(kid: string): KeyView {
    const key = published.find((candidate) => candidate.kid === kid);
    if (!key) throw new Refusal('key_unknown', `there is no key ${kid}`);
    return listed(key);
  }

  const listed = ({ publicKey: _, sign: __, ...rest }: PublishedKey): KeyView => rest;

  /** Takes a key out of use at once: everything it signed is refused from now on. */
  async function revoke(kid: string): Promise<void> {
    const all = await rows();
    const row = all.find((candidate) => candidate.id === kid);
    if (!row) throw new Refusal('key_unknown', `there is no key ${kid}`);
    const { alg } = row.record;
    const rest = all.filter((candidate) => candidate !== row && candidate.record.alg === alg);
    const changes: Change[] = [{ remove: 'signing_keys', id: kid, expect: row.version }];
    if (view(all, row).state === 'signing') {
      const next = rest.find(({ record }) => record.signsFrom > now());
      if (next)
        changes.push({
          put: 'signing_keys',
          id: next.id,
          record: { ...next.record, signsFrom: now() },
          expect: next.version,
        });
      // A retired key cannot take its place: its private part is gone. And there may be a resource that counts on one.
      else changes.push(await make(alg, now()));
    }
    await store.commit([...changes, audit.record('key.revoked', { details: { kid, alg } })]);
    opener.forget(kid);
    log.warn({ kid, alg }, 'signing key revoked');
    await refresh();
  }

  /** Takes a PEM private key (PKCS #8 or PKCS #1/SEC 1); it is published first like any other. */
  async function importPem(pem: string, alg: SigningKey['alg'] = 'RS256'): Promise<KeyView> {
    let key: KeyObject;
    try {
      key = createPrivateKey(pem);
    } catch (cause) {
      throw new Refusal('key_unreadable', 'this is not a private key in PEM form without a passphrase', { cause });
    }
    if (!ALGORITHMS[alg].fits(key)) {
      throw new Refusal(
        'key_unfit',
        `this key is not fit for ${alg} (RSA of 2048 bits or more for RS256 and PS256, P-256 for ES256)`,
      );
    }
    return add(await make(alg, now() + publishAhead, key), alg, 'imported');
  }

  /** Does what is due: destroys retired private parts, drops what nothing alive was signed with, rotates by age. */
  async function tend(): Promise<void> {
    const all = await rows();
    const at = now();
    if (!visiting || !all.some(({ record }) => record.alg === 'RS256')) await doDue(all);
    tendedAt = at;
  }

  async function doDue(all: readonly Row<SigningKey>[]): Promise<void> {
    const changes: Change[] = [];
    for (const row of all) {
      const shown = view(all, row);
      if (shown.dropsAt !== undefined && shown.dropsAt <= now()) {
        changes.push({ remove: 'signing_keys', id: row.id, expect: row.version });
        log.info({ kid: row.id }, 'signing key dropped');
      } else if (shown.state === 'retired' && row.record.sealedPrivateKey) {
        const { sealedPrivateKey: _, ...record } = row.record;
        changes.push({ put: 'signing_keys', id: row.id, record, expect: row.version });
        opener.forget(row.id);
      }
    }
    if (changes.length) await store.commit(changes);
    for (const alg of ['RS256', 'PS256', 'ES256'] as const) {
      const newest = all.filter(({ record }) => record.alg === alg).at(-1);
      if (!newest && alg === 'RS256') await makeFirst();
      if (newest && newest.record.createdAt + rotateAfter <= now() && newest.record.signsFrom <= now())
        await rotate(alg);
    }
  }

  /** Of several processes that start at once one makes it: the others find the mark taken. */
  async function makeFirst(): Promise<void> {
    const key = await make('RS256', now());
    const mark: Change = {
      put: 'seen',
      id: 'first-signing-key',
      record: { issuer: 'postern' },
      expiresAt: now() + minutes(1),
      expect: 'absent',
    };
    await store.commit([key, mark]);
    log.info({ kid: key.id, alg: 'RS256' }, 'first signing key made');
  }

  /** Reads the keys anew, so that what another process did is seen here. */
  async function refresh(): Promise<void> {
    const all = await rows();
    const order: readonly KeyState[] = ['signing', 'published', 'retired'];
    published = all
      .map((row) => opener.open(row, view(all, row)))
      .sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || b.signsFrom - a.signsFrom);
    for (const listener of listeners) listener(published);
    schedule(all);
  }

  async function tick(): Promise<void> {
    try {
      await tend();
    } catch (error) {
      const overtaken = error instanceof StoreConflict || (error instanceof Refusal && error.code === 'key_pending');
      if (!overtaken) throw error;
    }
    await refresh();
  }

  /**
   * Wakes when the next thing is due, at the latest in an hour. What came due since they were tended last is next: time passes
   * while rows are read, and what comes due just then would otherwise be nobody's for that hour.
   */
  function schedule(all: readonly Row<SigningKey>[]): void {
    const due = all
      .flatMap((row) => [row.record.signsFrom, view(all, row).dropsAt ?? 0, row.record.createdAt + rotateAfter])
      .filter((at) => at > tendedAt);
    wake(Math.max(seconds(0.05), Math.min(hours(1), ...due.map((at) => at - now()))));
  }

  function wake(wait: Duration): void {
    clearTimeout(timer);
    if (closed) return;
    timer = setTimeout(() => {
      tick().catch((error: Error) => {
        log.error({ err: error }, 'tending the signing keys failed; trying again in a minute');
        wake(minutes(1));
      });
    }, wait).unref();
  }

  /** The key that signs with this algorithm. */
  function signer(alg: SigningKey['alg'] = 'RS256'): PublishedKey {
    const key = published.find((candidate) => candidate.alg === alg && candidate.state === 'signing');
    if (!key) throw new Error(`no ${alg} key signs`);
    return key;
  }

  await tick();

  return {
    /** Everything in the JWKS, the keys that sign first. */
    published: (): readonly PublishedKey[] => published,
    list: (): KeyView[] => published.map(listed),
    signer,
    rotate,
    revoke,
    importPem,
    refresh,
    tick,

    /** Calls back with the new set after every change of it. */
    onChange(listener: (keys: readonly PublishedKey[]) => void): void {
      listeners.add(listener);
    },

    /** Whether `signature` is this key's over `data`. */
    verifies: ({ alg, publicKey }: PublishedKey, data: Uint8Array, signature: Uint8Array): boolean =>
      verify('sha256', data, ALGORITHMS[alg].input(publicKey), signature),

    close(): void {
      closed = true;
      clearTimeout(timer);
    },
  };
}
