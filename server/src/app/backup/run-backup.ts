/*
 * Copies collections into another store, beside running servers, and writes down what the copy consists of.
 *
 * Each collection is held at its present moment while its objects are copied in the order of what refers to
 * what: segments, log, manifests; the record of the backup comes last. So a run that ends early leaves
 * objects that the next run finds there, and never a backup that is not whole.
 */
import { hasReason, OmenError } from '../../core/errors.js';
import type { CollectionName } from '../../core/ids.js';
import type { LogPosition } from '../../core/log/root.js';
import { checkpointOf } from '../../core/log/root.js';
import type { ObjectStore } from '../../ports/object-store.js';
import { KEYS_PREFIX } from '../keys.js';
import type { LivingCollection } from '../log/catalog.js';
import { Catalog } from '../log/catalog.js';
import type { CollectionLayout } from '../log/object-layout.js';
import { ObjectLayout } from '../log/object-layout.js';
import { RootStore } from '../log/root-store.js';
import type { RetryDeps } from '../log/storage-retry.js';
import { STORAGE_RETRY, withRetry } from '../log/storage-retry.js';
import { listAll } from '../maintenance/list-objects.js';
import { BackupMarker } from './backup-marks.js';
import type { BackedUpCollection, BackupRecord, FailedCollection } from './backup-record.js';
import { listBackups, newBackupId, putBackupRecord, readBackupRecord } from './backup-record.js';
import { boundsOfCollections, forEachBounded } from './bounded.js';
import { Copier } from './copy-objects.js';
import type { BackupHistory, HeldMoment } from './hold-moment.js';
import { holdMoment } from './hold-moment.js';
import { Inventory } from './inventory.js';
import { manifestObject, objectsOf, slotsOf, spansOf } from './needed-objects.js';
import type { CollectionSelection } from './selection.js';
import { SlotChain } from './slot-chain.js';
import type { Progress, StoreWork } from './store-work.js';

export interface BackupDeps extends StoreWork {
  readonly source: ObjectStore;
  readonly target: ObjectStore;
}

export interface BackupOptions {
  readonly selection: CollectionSelection;
  readonly history: BackupHistory;
  /** Where the backup goes, for people who look at the store. */
  readonly to?: string;
}

export interface BackupReport extends Omit<Progress, 'at'> {
  /** Of the objects, those that were not there before. */
  readonly copiedObjects: number;
  readonly copiedBytes: number;
  readonly backupId: string;
  readonly collections: readonly BackedUpCollection[];
  /** Not part of the backup. */
  readonly failed: readonly FailedCollection[];
  readonly tookMs: number;
}

/** Earlier records that are looked at for checksums of what is there already. */
const RECORDS_READ = 4;

/**
 * Makes a backup. A collection that is damaged is reported and left out; any other failure ends the run, and
 * a repetition goes on where it ended. Throws `COLLECTION_NOT_FOUND` when a collection was named that does
 * not exist.
 */
export async function backUp(deps: BackupDeps, options: BackupOptions): Promise<BackupReport> {
  return new BackupRun(deps, options).run();
}

class BackupRun {
  readonly #retry: RetryDeps;
  readonly #layout = new ObjectLayout();
  readonly #catalog: Catalog;
  readonly #objects = new Inventory();
  readonly #collections: BackedUpCollection[] = [];
  readonly #failed: FailedCollection[] = [];
  readonly #totals = { objects: 0, bytes: 0, copiedObjects: 0, copiedBytes: 0 };
  #at = '';

  constructor(
    private readonly deps: BackupDeps,
    private readonly options: BackupOptions,
  ) {
    this.#retry = { scheduler: deps.scheduler, rng: deps.rng, policy: STORAGE_RETRY };
    this.#catalog = new Catalog({ ...deps, store: deps.source, layout: this.#layout });
  }

  async run(): Promise<BackupReport> {
    const { deps, options } = this;
    const startedMs = deps.clock.monotonic();
    const startedAtMs = Math.floor(deps.clock.now());
    const backupId = newBackupId(startedAtMs, deps.rng);
    const store = deps.source;
    const marker = new BackupMarker({ store, retry: this.#retry, logger: deps.logger }, backupId);
    if (options.selection.isAll) await marker.begun();
    const copier = await this.#copier();
    const all = await options.selection.of(this.#catalog);
    await forEachBounded(all, boundsOfCollections(deps.signal), (living) =>
      this.#collection(copier, backupId, living),
    );
    if (options.selection.isAll) await this.#keys(copier);
    const order = new Map(all.map(({ entry }, index) => [entry.id, index]));
    this.#collections.sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
    const record: BackupRecord = {
      ...{ backupId, startedAtMs, endedAtMs: Math.floor(deps.clock.now()), full: options.selection.isAll },
      ...{ collections: this.#collections, failed: this.#failed, objects: this.#objects },
    };
    await putBackupRecord(deps.target, record, this.#retry);
    const tookMs = deps.clock.monotonic() - startedMs;
    // What leaves something out is not what whoever looks for the last backup means.
    if (record.full && record.failed.length === 0) {
      await marker.ended({ endedAtMs: record.endedAtMs, tookMs, to: options.to ?? '' });
    }
    return {
      ...{ backupId, collections: this.#collections, failed: this.#failed, ...this.#totals, tookMs },
    };
  }

  async #copier(): Promise<Copier> {
    const { source, target, signal } = this.deps;
    const ids = (await listBackups(target, this.#retry)).slice(-RECORDS_READ).reverse();
    const known: Inventory[] = [];
    for (const id of ids) known.push((await readBackupRecord(target, id, this.#retry)).objects);
    const onObject = (bytes: number, copied: boolean): void => this.#count(bytes, copied);
    return new Copier({
      source,
      target,
      retry: this.#retry,
      known,
      objects: this.#objects,
      signal,
      onObject,
    });
  }

  async #collection(copier: Copier, backupId: string, living: LivingCollection): Promise<void> {
    const { tenant, entry } = living;
    const { name } = entry.schema;
    this.#at = `${tenant}/${name}`;
    const layout = this.#layout.collection(entry.id);
    const inside = { ...this.deps, store: this.deps.source, layout };
    const deps = { ...inside, rootStore: new RootStore(inside) };
    try {
      const held = await holdMoment(deps, { history: this.options.history, holder: `backup ${backupId}` });
      try {
        const { slot, sequence, timeMs } = await copyHeld(copier, held, layout);
        this.#collections.push({
          ...{ tenant, id: entry.id, schema: entry.schema, takenAtMs: held.takenAtMs },
          versions: held.versions.map((version) => checkpointOf(version)),
          snapshots: held.snapshots.map(({ snapshot }) => snapshot),
          through: { slot, sequence, timeMs },
        });
      } finally {
        await held.release();
      }
    } catch (error) {
      const damaged = error instanceof OmenError && (await this.#isDamaged(error, living));
      if (!damaged) return this.#ifDeleted(error);
      this.deps.logger.error('a collection is damaged and not part of the backup', { collection: this.#at });
      this.#failed.push({ tenant, name, message: error.message });
    }
  }

  /** A collection that has a name and no root is damaged as much as one with a broken object. */
  async #isDamaged({ reason }: OmenError, { tenant, entry }: LivingCollection): Promise<boolean> {
    if (reason !== 'COLLECTION_NOT_FOUND') return reason === 'DATA_CORRUPTED';
    const now = await this.#catalog.get(tenant, entry.schema.name as CollectionName);
    return now?.id === entry.id;
  }

  /** Of everything there is, what was deleted since the catalog was read is no part. */
  #ifDeleted(error: unknown): void {
    const deleted = hasReason(error, 'COLLECTION_NOT_FOUND');
    if (!deleted || !this.options.selection.isAll) throw error;
  }

  async #keys(copier: Copier): Promise<void> {
    this.#at = 'API keys';
    const listed = await withRetry(this.#retry, () => listAll(this.deps.source, KEYS_PREFIX));
    await copier.copy(
      listed.map(({ key, size }) => ({ key, relative: key, content: { kind: 'plain' }, bytes: size })),
    );
  }

  #count(bytes: number, copied: boolean): void {
    const totals = this.#totals;
    totals.objects++;
    totals.bytes += bytes;
    if (copied) {
      totals.copiedObjects++;
      totals.copiedBytes += bytes;
    }
    this.deps.onProgress?.({ at: this.#at, objects: totals.objects, bytes: totals.bytes });
  }
}

/** In the order of what refers to what. Returns the end of the log. */
async function copyHeld(copier: Copier, held: HeldMoment, layout: CollectionLayout): Promise<LogPosition> {
  const { versions, snapshots, throughSlot } = held;
  const all = [...versions, ...snapshots.map(({ base }) => base)];
  for (const version of all) await copier.copy(objectsOf(version, layout));
  const chain = new SlotChain(versions);
  const kept = snapshots.map(({ snapshot, base }) => ({ root: base, throughSlot: snapshot.through.slot }));
  for (const span of spansOf(versions, throughSlot, kept)) {
    const own = span.root === versions[0] ? chain : new SlotChain([span.root]);
    await copier.copyLog(() => slotsOf(span, layout), own);
  }
  await copier.copy(all.map((version) => manifestObject(layout, checkpointOf(version))));
  return chain.last;
}
