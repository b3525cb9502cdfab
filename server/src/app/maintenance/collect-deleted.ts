/*
 * Removes the objects of deleted collections.
 *
 * The root is sealed first, so no write is acknowledged and no job publishes any more; then everything but
 * the root goes, then the root. A writer that slept through all this may still put an object. So a collection
 * is forgotten only when a later pass finds nothing of it.
 */
import { OmenError } from '../../core/errors.js';
import { seal } from '../../core/log/transitions.js';
import type { Logger } from '../../ports/logger.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type { Catalog, DoomedCollection } from '../log/catalog.js';
import type { ObjectLayout } from '../log/object-layout.js';
import { RootStore } from '../log/root-store.js';
import { listAll, removeAll } from './collect-garbage.js';

export interface DeletedCollectorDeps {
  readonly store: ObjectStore;
  readonly rng: Rng;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly layout: ObjectLayout;
  readonly catalog: Catalog;
}

export interface DeletedReport {
  /** Deleted collections that had objects. */
  readonly removed: number;
  /** Of which nothing was found: not looked at again. */
  readonly forgotten: number;
  readonly objects: number;
  readonly bytes: number;
}

/** One pass over all deleted collections of all tenants. To be repeated until nothing is removed. */
export async function collectDeleted(deps: DeletedCollectorDeps): Promise<DeletedReport> {
  const total = { removed: 0, forgotten: 0, objects: 0, bytes: 0 };
  for await (const doomed of deps.catalog.doomed()) {
    const { objects, bytes } = await removeCollection(deps, doomed);
    total.objects += objects;
    total.bytes += bytes;
    if (objects > 0) total.removed++;
    else total.forgotten++;
    if (objects === 0) await deps.catalog.forget(doomed);
  }
  if (total.objects > 0) deps.logger.info('objects of deleted collections removed', total);
  return total;
}

async function removeCollection(
  deps: DeletedCollectorDeps,
  { id }: DoomedCollection,
): Promise<{ readonly objects: number; readonly bytes: number }> {
  const { store } = deps;
  const layout = deps.layout.collection(id);
  await sealRoot(new RootStore({ ...deps, layout }));
  const listed = await listAll(store, layout.prefix);
  const inner = listed.filter(({ key }) => key !== layout.rootKey);
  await removeAll(store, inner, 8);
  if (listed.length > inner.length) await store.delete(layout.rootKey);
  return { objects: listed.length, bytes: listed.reduce((sum, { size }) => sum + size, 0) };
}

/** A root that is gone needs no seal: without one nothing is acknowledged. */
async function sealRoot(rootStore: RootStore): Promise<void> {
  try {
    await rootStore.commit(seal);
  } catch (error) {
    if (!(error instanceof OmenError) || error.reason !== 'COLLECTION_NOT_FOUND') throw error;
  }
}
