/*
 * One pass of the collector over a whole store, for whoever wants it done at a certain hour, and for
 * collections that no server has open. Safe beside running servers, as each of its parts is.
 */
import { hasReason } from '../../core/errors.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { CollectionSelection } from '../backup/selection.js';
import type { StoreWork } from '../backup/store-work.js';
import { Catalog } from '../log/catalog.js';
import { ObjectLayout } from '../log/object-layout.js';
import { RootStore } from '../log/root-store.js';
import { collectDeleted } from './collect-deleted.js';
import { collectGarbage } from './collect-garbage.js';
import type { GarbageReport } from './collect-garbage.js';
import { listAll } from './list-objects.js';

export interface CollectStoreDeps extends StoreWork {
  readonly store: ObjectStore;
}

export interface CollectStoreOptions {
  readonly selection: CollectionSelection;
  /** Say what would be removed and change nothing at all. */
  readonly dryRun: boolean;
  /** How long the past stays readable. */
  readonly windowMs: number;
}

/** Removed, or to be removed, of one collection. */
export interface CollectedCollection extends Pick<GarbageReport, 'objects' | 'bytes' | 'unknown'> {
  readonly collection: string;
}

export interface CollectStoreReport {
  readonly collections: readonly CollectedCollection[];
  /** Of collections that were deleted. */
  readonly deleted: { readonly collections: number; readonly objects: number; readonly bytes: number };
  /** Where nothing was removed because of an error, with its message. */
  readonly failed: readonly { readonly collection: string; readonly message: string }[];
}

/** A collection that is damaged is reported and left as it is; the pass goes on. */
export async function collectStore(
  deps: CollectStoreDeps,
  options: CollectStoreOptions,
): Promise<CollectStoreReport> {
  const layout = new ObjectLayout();
  const catalog = new Catalog({ ...deps, layout });
  const collections: CollectedCollection[] = [];
  const failed: { collection: string; message: string }[] = [];
  for (const { tenant, entry } of await options.selection.of(catalog)) {
    deps.signal?.throwIfAborted();
    const collection = `${tenant}/${entry.schema.name}`;
    const inside = { ...deps, layout: layout.collection(entry.id) };
    try {
      const report = await collectGarbage({ ...inside, rootStore: new RootStore(inside) }, options);
      const { objects, bytes, unknown } = report;
      collections.push({ collection, objects, bytes, unknown });
    } catch (error) {
      if (!hasReason(error, 'DATA_CORRUPTED')) throw error;
      failed.push({ collection, message: error.message });
    }
  }
  const deleted = options.selection.isAll
    ? await removeDeleted(deps, { catalog, layout, dryRun: options.dryRun })
    : { collections: 0, objects: 0, bytes: 0 };
  return { collections, deleted, failed };
}

async function removeDeleted(
  deps: CollectStoreDeps,
  { catalog, layout, dryRun }: { catalog: Catalog; layout: ObjectLayout; dryRun: boolean },
): Promise<CollectStoreReport['deleted']> {
  if (!dryRun) {
    const { removed, objects, bytes } = await collectDeleted({ ...deps, catalog, layout });
    return { collections: removed, objects, bytes };
  }
  const total = { collections: 0, objects: 0, bytes: 0 };
  for await (const { id } of catalog.doomed(deps.clock.now(), { look: true })) {
    const listed = await listAll(deps.store, layout.collection(id).prefix);
    if (listed.length > 0) total.collections++;
    total.objects += listed.length;
    total.bytes += listed.reduce((sum, { size }) => sum + size, 0);
  }
  return total;
}
