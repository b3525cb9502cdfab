/*
 * Names of collections, by tenant. One small object per name, changed by compare-and-swap, says which
 * collection has the name now and which earlier ones are still being removed. A name is free as soon as its
 * collection is deleted: the next one has another id.
 *
 * Tenants cannot meet: every key begins with the tenant, which holds no slash, and a tenant comes from a
 * credential only. An entry is never removed, because a delete cannot be conditional and a name can come
 * back; an empty entry is not listed.
 */
import { OmenError } from '../../core/errors.js';
import type { CollectionId, CollectionName, TenantId } from '../../core/ids.js';
import type { EnvelopeKind } from '../../core/log/envelope.js';
import { decodeEnvelope, encodeEnvelope } from '../../core/log/envelope.js';
import type { Schema } from '../../core/log/root.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type { ObjectLayout } from './object-layout.js';
import { newNonce } from './object-layout.js';
import type { RetryDeps, RetryPolicy } from './storage-retry.js';
import { backoffMs, STORAGE_RETRY, withRetry } from './storage-retry.js';

export interface CatalogEntry {
  readonly id: CollectionId;
  readonly schema: Schema;
  /** The request that created it, when it had an id: a repetition is answered and not refused. */
  readonly requestId?: string;
}

export interface CatalogPage {
  readonly entries: readonly CatalogEntry[];
  /** Last name of the page, or null when nothing follows. */
  readonly next: CollectionName | null;
}

/** A collection that has a name. */
export interface LivingCollection {
  readonly tenant: TenantId;
  readonly entry: CatalogEntry;
}

/** A collection that waits for the collector. */
export interface DoomedCollection {
  readonly key: string;
  readonly id: CollectionId;
}

export interface CatalogDeps {
  readonly store: ObjectStore;
  readonly rng: Rng;
  readonly scheduler: Scheduler;
  readonly layout: ObjectLayout;
  readonly retry?: RetryPolicy;
}

/** A collection that is being made in several steps. */
interface Announced {
  readonly id: CollectionId;
  readonly atMs: number;
}

interface Entry {
  readonly current: CatalogEntry | null;
  /** Announced and not finished: whoever makes them is at it, or has died. */
  readonly creating?: readonly Announced[];
  /** Ids of deleted collections whose objects are not gone yet. */
  readonly deleting: readonly CollectionId[];
  /** The request that took the name away last, when it had an id. */
  readonly deletedBy?: string;
}

const KIND: EnvelopeKind = { magic: 'OMCT', version: 1 };
const MARK_KIND: EnvelopeKind = { magic: 'OMDM', version: 1 };
const EMPTY: Entry = { current: null, deleting: [] };

/** After this long, whoever was making a collection has died. */
const CREATING_MS_MAX = 60 * 60 * 1000;

/** Entries read at once while listing. */
const READ_AHEAD = 16;

export class Catalog {
  readonly #retry: RetryDeps;

  constructor(private readonly deps: CatalogDeps) {
    const { scheduler, rng, retry } = deps;
    this.#retry = { scheduler, rng, policy: retry ?? STORAGE_RETRY };
  }

  /**
   * Notes that a collection is about to be made under this name, so that what is left of it after a crash is
   * found. Returns the collection that the same request has made before, else null. Throws
   * `COLLECTION_EXISTS` when the name is taken.
   */
  async announce(
    tenant: TenantId,
    name: CollectionName,
    { id, atMs, requestId }: Announced & { readonly requestId: string },
  ): Promise<CatalogEntry | null> {
    const key = this.deps.layout.catalogKey(tenant, name);
    await this.#mark(id, key);
    let known: CatalogEntry | null = null;
    await this.#change(key, (present) => {
      known = null;
      const { current, creating = [] } = present;
      if (current === null) {
        if (creating.some((other) => other.id === id)) return present;
        return { ...present, creating: [...creating, { id, atMs }] };
      }
      if (requestId === '' || current.requestId !== requestId) throw taken(name);
      known = current;
      return present;
    });
    // A sweep that saw the mark before the entry was there has taken it for an old one.
    if (known === null) await this.#mark(id, key);
    return known;
  }

  /**
   * Says that the making of a collection goes on. Throws `COLLECTION_BUSY` when it was given up meanwhile.
   */
  async renew(tenant: TenantId, name: CollectionName, { id, atMs }: Announced): Promise<void> {
    await this.#change(this.deps.layout.catalogKey(tenant, name), (present) => {
      const { creating = [] } = present;
      if (!creating.some((other) => other.id === id)) throw tookTooLong(name);
      return { ...present, creating: creating.map((other) => (other.id === id ? { id, atMs } : other)) };
    });
  }

  /** Gives up what was announced: the collector removes what there is of it. */
  async abandon(tenant: TenantId, name: CollectionName, id: CollectionId): Promise<void> {
    await this.#change(this.deps.layout.catalogKey(tenant, name), (present) =>
      withoutAnnounced(present, (other) => other.id === id),
    );
  }

  /**
   * Gives the name to a collection whose root exists already. Throws `COLLECTION_EXISTS` when it is taken,
   * `COLLECTION_BUSY` when it was announced so long ago that its objects are being removed.
   */
  async create(
    tenant: TenantId,
    name: CollectionName,
    entry: CatalogEntry,
    { announced = false }: { readonly announced?: boolean } = {},
  ): Promise<void> {
    await this.#change(this.deps.layout.catalogKey(tenant, name), (present) => {
      const { current, creating = [], deleting } = present;
      // The answer to our own swap was lost; the collection may even have been deleted since.
      if (current?.id === entry.id || (!announced && deleting.includes(entry.id))) return present;
      if (current !== null) throw taken(name);
      if (announced && !creating.some(({ id }) => id === entry.id)) throw tookTooLong(name);
      return { ...present, current: entry, creating: creating.filter(({ id }) => id !== entry.id) };
    });
    if (announced) await this.#unmark(entry.id).catch(() => undefined);
  }

  /** The collection of that name, or null. */
  async get(tenant: TenantId, name: CollectionName): Promise<CatalogEntry | null> {
    return (await this.#read(this.deps.layout.catalogKey(tenant, name))).entry.current;
  }

  /**
   * Takes the name away; the collection is left to the collector.
   *
   * @param id When given, only if the name still belongs to that collection.
   * @returns the entry removed, or null when there was none.
   */
  async remove(
    tenant: TenantId,
    name: CollectionName,
    { id, requestId = '' }: { readonly id?: CollectionId; readonly requestId?: string } = {},
  ): Promise<CatalogEntry | null> {
    const key = this.deps.layout.catalogKey(tenant, name);
    for (;;) {
      const { current } = (await this.#read(key)).entry;
      if (current === null || (id !== undefined && current.id !== id)) return null;
      await this.#mark(current.id, key);
      let removed: CatalogEntry | null = null;
      await this.#change(key, (present) => {
        // Gone already, or ours with an answer that was lost.
        if (present.current?.id !== current.id) return present;
        removed = present.current;
        return {
          ...present,
          current: null,
          deleting: [...present.deleting, current.id],
          deletedBy: requestId,
        };
      });
      if (removed !== null) return removed;
    }
  }

  /** Collections that had this name and whose objects are not gone yet. */
  async deleted(tenant: TenantId, name: CollectionName): Promise<readonly CollectionId[]> {
    return (await this.#read(this.deps.layout.catalogKey(tenant, name))).entry.deleting;
  }

  /** Whether this request took the name away, and nobody gave it to a new collection since. */
  async wasRemovedBy(tenant: TenantId, name: CollectionName, requestId: string): Promise<boolean> {
    const { entry } = await this.#read(this.deps.layout.catalogKey(tenant, name));
    return requestId !== '' && entry.current === null && entry.deletedBy === requestId;
  }

  /** Collections of a tenant in the order of their names, behind `after`. */
  async list(tenant: TenantId, limit: number, after?: CollectionName): Promise<CatalogPage> {
    const prefix = this.deps.layout.tenantPrefix(tenant);
    const entries: CatalogEntry[] = [];
    for await (const { entry } of this.#entries(prefix, after === undefined ? '' : `${prefix}${after}`)) {
      if (entry.current === null) continue;
      // One more than asked for was found, so there is a next page.
      if (entries.length === limit) return { entries, next: entries.at(-1)?.schema.name as CollectionName };
      entries.push(entry.current);
    }
    return { entries, next: null };
  }

  /**
   * Deleted collections of all tenants that still have objects, and those whose making was given up.
   *
   * @param options.look Change nothing.
   */
  async *doomed(
    nowMs: number,
    { look = false }: { readonly look?: boolean } = {},
  ): AsyncGenerator<DoomedCollection> {
    const { store, layout } = this.deps;
    const dead = ({ atMs }: Announced): boolean => nowMs - atMs > CREATING_MS_MAX;
    for (let last = ''; ;) {
      const page = await withRetry(this.#retry, () => store.list(layout.doomedPrefix, last));
      if (page.length === 0) return;
      for (const { key: mark } of page) {
        const id = mark.slice(layout.doomedPrefix.length) as CollectionId;
        const key = await this.#readMark(mark);
        if (key === null) continue;
        if (!look) await this.#change(key, (present) => withoutAnnounced(present, dead));
        const entry = withoutAnnounced((await this.#read(key)).entry, dead);
        const making = entry.creating?.some((other) => other.id === id) === true;
        if (entry.deleting.includes(id)) yield { key, id };
        else if (!look && entry.current?.id !== id && !making) await this.#unmark(id);
      }
      last = page.at(-1)?.key ?? last;
    }
  }

  /** All collections that have a name, of all tenants. */
  async *living(): AsyncGenerator<LivingCollection> {
    const { catalogPrefix } = this.deps.layout;
    for await (const { key, entry } of this.#entries(catalogPrefix, '')) {
      const [, tenant = ''] = key.slice(catalogPrefix.length).split('/');
      if (entry.current !== null) yield { tenant: tenant as TenantId, entry: entry.current };
    }
  }

  /** Forgets a deleted collection whose objects are gone. */
  async forget({ key, id }: DoomedCollection): Promise<void> {
    await this.#change(key, (present) =>
      present.deleting.includes(id)
        ? { ...present, deleting: present.deleting.filter((other) => other !== id) }
        : present,
    );
    await this.#unmark(id);
  }

  /** So that a sweep finds the collection without looking at the whole catalog. */
  async #mark(id: CollectionId, key: string): Promise<void> {
    const nonce = newNonce(this.deps.rng);
    const body = encodeEnvelope(MARK_KIND, { key });
    await withRetry(this.#retry, () =>
      this.deps.store.putIfAbsent(this.deps.layout.doomedKey(id), body, nonce),
    );
  }

  async #unmark(id: CollectionId): Promise<void> {
    await withRetry(this.#retry, () => this.deps.store.delete(this.deps.layout.doomedKey(id)));
  }

  /** The catalog key in a mark, or null when the mark is gone. */
  async #readMark(mark: string): Promise<string | null> {
    const got = await withRetry(this.#retry, () => this.deps.store.get(mark));
    if (got.kind !== 'found') return null;
    const { key } = decodeEnvelope(MARK_KIND, got.body, `mark ${mark}`);
    if (typeof key === 'string') return key;
    throw new OmenError('DATA_CORRUPTED', `mark ${mark} is damaged: "key" is missing`);
  }

  async *#entries(prefix: string, after: string): AsyncGenerator<{ key: string; entry: Entry }> {
    for (let last = after; ;) {
      const page = await withRetry(this.#retry, () => this.deps.store.list(prefix, last));
      if (page.length === 0) return;
      for (let from = 0; from < page.length; from += READ_AHEAD) {
        const keys = page.slice(from, from + READ_AHEAD).map(({ key }) => key);
        const read = await Promise.all(keys.map((key) => this.#read(key)));
        for (const [index, { entry }] of read.entries()) yield { key: keys[index] ?? '', entry };
      }
      last = page.at(-1)?.key ?? last;
    }
  }

  async #read(key: string): Promise<{ readonly entry: Entry; readonly etag: string | null }> {
    const got = await withRetry(this.#retry, () => this.deps.store.get(key));
    if (got.kind !== 'found') return { entry: EMPTY, etag: null };
    return { entry: decodeEntry(got.body, key), etag: got.etag };
  }

  /** Reads, changes and swaps until no other writer is in the way. */
  async #change(key: string, change: (entry: Entry) => Entry): Promise<void> {
    for (let lost = 1; ; lost++) {
      const { entry, etag } = await this.#read(key);
      const next = change(entry);
      if (next === entry) return;
      const nonce = newNonce(this.deps.rng);
      const body = encodeEnvelope(KIND, next);
      const swap = await withRetry(this.#retry, () => this.deps.store.compareAndSwap(key, body, etag, nonce));
      if (swap.kind === 'swapped') return;
      await this.deps.scheduler.sleep(backoffMs(this.#retry, Math.min(lost, 6)));
    }
  }
}

/** Announced collections that `isOver` names are left to the collector. */
function withoutAnnounced(entry: Entry, isOver: (announced: Announced) => boolean): Entry {
  const over = entry.creating?.filter(isOver) ?? [];
  if (over.length === 0) return entry;
  return {
    ...entry,
    creating: entry.creating?.filter((other) => !over.includes(other)) ?? [],
    deleting: [...entry.deleting, ...over.map(({ id }) => id)],
  };
}

function tookTooLong(name: CollectionName): OmenError {
  return new OmenError('COLLECTION_BUSY', `making collection "${name}" took too long: try again`);
}

function taken(name: CollectionName): OmenError {
  return new OmenError('COLLECTION_EXISTS', `collection "${name}" exists already`, { field: 'name' });
}

function decodeEntry(body: Uint8Array, key: string): Entry {
  const value = decodeEnvelope(KIND, body, `catalog entry ${key}`);
  const entry = value as unknown as Entry;
  const { current, deleting, creating = [] } = entry;
  if (typeof current !== 'object' || !Array.isArray(deleting) || !Array.isArray(creating)) {
    throw new OmenError(
      'DATA_CORRUPTED',
      `catalog entry ${key} is damaged: "current", "creating" or "deleting" is not what it must be`,
    );
  }
  return entry;
}
