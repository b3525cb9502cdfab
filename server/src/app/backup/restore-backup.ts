/*
 * Brings collections of a backup to life, in any store and beside running servers, each under an id that was
 * never used.
 *
 * Before anything is written it is known that all that is needed is there. The name is announced first, so
 * that what a crash leaves is found and removed; the root comes after everything it names, and the name is
 * given last. So a restored collection is there whole or not at all.
 */
import { invariant, OmenError } from '../../core/errors.js';
import type { CollectionId, CollectionName } from '../../core/ids.js';
import { descend } from '../../core/log/descend.js';
import type { Checkpoint, Root, Schema, SnapshotRef } from '../../core/log/root.js';
import { checkpointOf } from '../../core/log/root.js';
import type { ObjectStore } from '../../ports/object-store.js';
import { KEYS_PREFIX } from '../keys.js';
import { Catalog } from '../log/catalog.js';
import { newCollectionId, newNonce, ObjectLayout } from '../log/object-layout.js';
import { RootStore } from '../log/root-store.js';
import type { RetryDeps } from '../log/storage-retry.js';
import { STORAGE_RETRY, withRetry } from '../log/storage-retry.js';
import type { BackedUpCollection, BackupRecord } from './backup-record.js';
import { readBackupRecord } from './backup-record.js';
import type { Bounds } from './bounded.js';
import { boundsOfCollections, boundsOfObjects, forEachBounded, objectGate } from './bounded.js';
import type { Fault } from './faults.js';
import type { NeededObject } from './needed-objects.js';
import type { Planned, RestorePlan } from './plan-restore.js';
import { readChecked, RestorePlanner } from './plan-restore.js';
import type { CollectionSelection } from './selection.js';
import type { StoreWork } from './store-work.js';

export interface RestoreDeps extends StoreWork {
  /** Where the backup is. */
  readonly target: ObjectStore;
  /** Where the collections go. */
  readonly destination: ObjectStore;
}

export interface RestoreOptions {
  readonly backupId: string;
  readonly selection: CollectionSelection;
  /** Absent: the moment of the backup. */
  readonly asOfMs?: number;
  /** Another name, for one collection. */
  readonly name?: CollectionName;
  /** How long the past of the restored collections is to be readable, as far as the backup holds it. */
  readonly pastMs: number;
  /** API keys too. */
  readonly keys: boolean;
  /** Leave collections alone whose name is taken, instead of refusing. */
  readonly skipExisting: boolean;
}

export interface RestoredCollection {
  readonly tenant: string;
  readonly name: string;
  readonly id: CollectionId;
  /** The time of its last write. */
  readonly upToMs: number;
}

export type RestoreOutcome =
  /** Nothing was written. */
  | { readonly kind: 'refused'; readonly faults: readonly Fault[] }
  | {
      readonly kind: 'restored';
      readonly collections: readonly RestoredCollection[];
      /** Their names were taken. */
      readonly skipped: readonly string[];
      readonly keys: number;
      readonly objects: number;
      readonly bytes: number;
      readonly tookMs: number;
    };

/** How often the making of a collection is said to go on. */
const RENEW_MS = 10 * 60 * 1000;

/**
 * Restores. Throws `COLLECTION_EXISTS` before anything is copied when a name is taken, `COLLECTION_NOT_FOUND`
 * when the backup lacks one that was named, `MOMENT_NOT_KEPT`, and `DATA_CORRUPTED` when bytes turn out to be
 * damaged: that collection is not there then.
 */
export async function restoreBackup(deps: RestoreDeps, options: RestoreOptions): Promise<RestoreOutcome> {
  const startedMs = deps.clock.monotonic();
  const retry = { scheduler: deps.scheduler, rng: deps.rng, policy: STORAGE_RETRY };
  const record = await readBackupRecord(deps.target, options.backupId, retry);
  const restoration = new Restoration(deps, record);
  const { plans, keys, faults } = await restoration.plan(options);
  if (faults.length > 0) return { kind: 'refused', faults };
  const bounds = boundsOfCollections(deps.signal);
  const skipped = new Set<RestorePlan>();
  await forEachBounded(plans, bounds, async (plan) => {
    if (await restoration.isFree(plan)) return;
    if (!options.skipExisting) throw taken(plan);
    skipped.add(plan);
  });
  const restored = new Map<RestorePlan, RestoredCollection>();
  const free = plans.filter((plan) => !skipped.has(plan));
  await forEachBounded(free, bounds, async (plan) => {
    restored.set(plan, await restoration.restore(plan));
  });
  const collections = plans.flatMap((plan) => restored.get(plan) ?? []);
  const restoredKeys = await restoration.restoreKeys(keys);
  return {
    ...{ kind: 'restored', collections, keys: restoredKeys, ...restoration.totals },
    skipped: [...skipped].map(({ tenant, name }) => `${tenant}/${name}`),
    tookMs: deps.clock.monotonic() - startedMs,
  };
}

class Restoration {
  readonly totals = { objects: 0, bytes: 0 };
  readonly #layout = new ObjectLayout();
  readonly #catalog: Catalog;
  readonly #retry: RetryDeps;
  readonly #bounds: Bounds<NeededObject>;

  constructor(
    private readonly deps: RestoreDeps,
    private readonly record: BackupRecord,
  ) {
    this.#retry = { scheduler: deps.scheduler, rng: deps.rng, policy: STORAGE_RETRY };
    this.#catalog = new Catalog({ ...deps, store: deps.destination, layout: this.#layout });
    this.#bounds = boundsOfObjects(objectGate(), deps.signal);
  }

  async plan({ selection, asOfMs, name, keys, pastMs }: RestoreOptions): Promise<{
    readonly plans: readonly RestorePlan[];
    readonly keys: readonly NeededObject[];
    readonly faults: readonly Fault[];
  }> {
    const { target } = this.deps;
    const { record } = this;
    const retry = this.#retry;
    const wanted = selection.from(record.collections, `backup ${record.backupId}`);
    if (name !== undefined && wanted.length !== 1) {
      throw new OmenError('INVALID_ARGUMENT', 'a new name is for one collection: say which', {
        field: 'name',
      });
    }
    const planner = new RestorePlanner({ target, retry, record });
    const planned = new Map<BackedUpCollection, Planned>();
    await forEachBounded(wanted, boundsOfCollections(this.deps.signal), async (from) => {
      const plan = await planner.plan({
        ...{ from, name: name ?? (from.schema.name as CollectionName) },
        pastFromMs: this.deps.clock.now() - pastMs,
        ...(asOfMs === undefined ? {} : { asOfMs }),
      });
      planned.set(from, plan);
    });
    const inOrder = wanted.flatMap((from) => planned.get(from) ?? []);
    const plans = inOrder.flatMap((it) => (it.kind === 'plan' ? [it.plan] : []));
    const faults = inOrder.flatMap((it) => (it.kind === 'faults' ? it.faults : []));
    const wantedKeys = keys ? keysOf(record) : [];
    return { plans, keys: wantedKeys, faults: [...faults, ...(await planner.missingKeys(wantedKeys))] };
  }

  async isFree({ tenant, name }: RestorePlan): Promise<boolean> {
    return (await this.#catalog.get(tenant, name)) === null;
  }

  async restore(plan: RestorePlan): Promise<RestoredCollection> {
    const { clock, rng } = this.deps;
    const { tenant, name, from } = plan;
    const id = newCollectionId(rng);
    const now = (): number => Math.floor(clock.now());
    await this.#catalog.announce(tenant, name, { id, atMs: now(), requestId: '' });
    try {
      await this.#copy(plan, id, () => this.#catalog.renew(tenant, name, { id, atMs: now() }));
      const schema = { ...from.schema, name };
      await this.#createRoot(plan, id, schema);
      await this.#catalog.create(tenant, name, { id, schema }, { announced: true });
    } catch (error) {
      await this.#catalog.abandon(tenant, name, id).catch(() => undefined);
      throw error;
    }
    return { tenant, name, id, upToMs: plan.end.timeMs };
  }

  /** Into the new collection's folder, under the names they have in their own. */
  async #copy(plan: RestorePlan, id: CollectionId, renew: () => Promise<void>): Promise<void> {
    const { clock, destination } = this.deps;
    const layout = this.#layout.collection(id);
    let renewedMs = clock.monotonic();
    await forEachBounded(plan.needed(), this.#bounds, async ({ key, relative }) => {
      const body = await this.#read(key);
      const nonce = newNonce(this.#retry.rng);
      const at = layout.absolute(relative);
      const put = await withRetry(this.#retry, () => destination.putIfAbsent(at, body, nonce));
      invariant(put.kind === 'created', `collection id ${id} was used before`);
      this.totals.objects++;
      this.totals.bytes += body.length;
      this.deps.onProgress?.({ at: `${plan.tenant}/${plan.name}`, ...this.totals });
      if (clock.monotonic() - renewedMs < RENEW_MS) return;
      renewedMs = clock.monotonic();
      await renew();
    });
  }

  /**
   * The past comes first, version by version, as it came about: so each has its manifest, and reads of the
   * past find them.
   */
  async #createRoot(plan: RestorePlan, id: CollectionId, schema: Schema): Promise<void> {
    const { versions, snapshots, end } = plan;
    const store = this.deps.destination;
    const rootStore = new RootStore({ ...this.deps, store, layout: this.#layout.collection(id) });
    const bases = snapshots.map(({ base }) => base).filter((base) => !versions.includes(base));
    const checkpoints: Checkpoint[] = [];
    const restored = new Map<number, Checkpoint>();
    for (const version of [...new Set(bases)].sort((a, b) => a.version - b.version).concat(versions)) {
      const descent = { collectionId: id, schema, throughSlot: end.slot };
      const root: Root = { ...descend(version, descent), checkpoints: [...checkpoints] };
      const created = restored.size === 0 ? rootStore.createFrom(root) : rootStore.commit(() => root);
      const checkpoint = checkpointOf((await created).root);
      restored.set(version.version, checkpoint);
      if (versions.includes(version)) checkpoints.push(checkpoint);
    }
    if (snapshots.length === 0) return;
    const moved = snapshots.map(({ snapshot, base }): SnapshotRef => {
      return { ...snapshot, base: restored.get(base.version) ?? snapshot.base };
    });
    await rootStore.commit((root) => ({ ...root, snapshots: moved }));
  }

  #read(key: string): Promise<Uint8Array> {
    return readChecked({ target: this.deps.target, retry: this.#retry, record: this.record }, key);
  }

  async restoreKeys(keys: readonly NeededObject[]): Promise<number> {
    const { destination } = this.deps;
    let written = 0;
    await forEachBounded(keys, this.#bounds, async ({ key }) => {
      const body = await this.#read(key);
      const nonce = newNonce(this.#retry.rng);
      const put = await withRetry(this.#retry, () => destination.putIfAbsent(key, body, nonce));
      if (put.kind === 'created') written++;
    });
    return written;
  }
}

function taken({ tenant, name }: RestorePlan): OmenError {
  const text = `collection "${tenant}/${name}" exists already: nothing was written; give another name`;
  return new OmenError('COLLECTION_EXISTS', text, { field: 'name' });
}

function keysOf({ objects }: BackupRecord): NeededObject[] {
  const keys = [...objects.entries()].filter(([key]) => key.startsWith(KEYS_PREFIX));
  return keys.map(([key, { size }]) => ({ key, relative: key, content: { kind: 'plain' }, bytes: size }));
}
