/*
 * Removes the objects of deleted collections.
 *
 * The root is sealed first, so no write is acknowledged, no job publishes and nothing is pinned any more;
 * then everything that no pin needs goes, and when there is no pin the root too. A writer that slept through
 * all this may still put an object. So a collection is forgotten only when a later pass finds nothing of it.
 */
import { hasReason } from '../../core/errors.js';
import { seal } from '../../core/log/transitions.js';
import type { Root } from '../../core/log/root.js';
import type { Catalog, DoomedCollection } from '../log/catalog.js';
import type { ObjectLayout } from '../log/object-layout.js';
import { RootStore } from '../log/root-store.js';
import type { Pin } from '../log/pin.js';
import { removePin } from '../log/pin.js';
import { collectGarbage } from './collect-garbage.js';
import type { PinCollectorDeps } from './collect-pins.js';
import { collectPins, readPins } from './collect-pins.js';
import { listAll, removeAll } from './list-objects.js';

export interface DeletedCollectorDeps extends Omit<PinCollectorDeps, 'layout' | 'rootStore'> {
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
  for await (const doomed of deps.catalog.doomed(deps.clock.now())) {
    const { objects, bytes, pinned } = await removeCollection(deps, doomed);
    total.objects += objects;
    total.bytes += bytes;
    if (objects > 0) total.removed++;
    if (objects > 0 || pinned) continue;
    total.forgotten++;
    await deps.catalog.forget(doomed);
  }
  if (total.objects > 0) deps.logger.info('objects of deleted collections removed', total);
  return total;
}

interface Removed {
  readonly objects: number;
  readonly bytes: number;
  /** Something of it is used by a branch or a backup: the rest stays until that ends. */
  readonly pinned: boolean;
}

async function removeCollection(deps: DeletedCollectorDeps, { id }: DoomedCollection): Promise<Removed> {
  const { store } = deps;
  const layout = deps.layout.collection(id);
  const rootStore = new RootStore({ ...deps, layout });
  const sealed = await sealRoot(rootStore);
  const inside = { ...deps, layout, rootStore };
  const pins = sealed === null ? new Map<string, Pin>() : await collectPins(inside, await readPins(inside));
  if (pins.size > 0) {
    const { keys, bytes } = await collectGarbage(inside);
    return { objects: keys.length, bytes, pinned: true };
  }
  const listed = await listAll(store, layout.prefix);
  await removeAll(
    store,
    listed.filter(({ key }) => key !== layout.rootKey),
  );
  // Its own pins on other collections go before the root that names them.
  for (const { collectionId, pinId } of sealed?.parents ?? []) {
    await removePin({ ...deps, layout: deps.layout.collection(collectionId) }, pinId);
  }
  if (sealed !== null) await store.delete(layout.rootKey);
  return {
    ...{ objects: listed.length, bytes: listed.reduce((sum, { size }) => sum + size, 0), pinned: false },
  };
}

/** The root, sealed now if it was not. One that is gone needs no seal: without it nothing is acknowledged. */
export async function sealRoot(rootStore: RootStore): Promise<Root | null> {
  try {
    return (await rootStore.commit(seal)).root;
  } catch (error) {
    if (!hasReason(error, 'COLLECTION_NOT_FOUND')) throw error;
    return null;
  }
}
