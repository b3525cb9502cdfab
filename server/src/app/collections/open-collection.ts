/*
 * Opens a collection: segments and remembered requests from the root, everything newer from the log.
 */
import { OpenSegment } from '../../core/collection/open-segment.js';
import { CollectionState } from '../../core/collection/state.js';
import { OmenError } from '../../core/errors.js';
import type { CollectionName } from '../../core/ids.js';
import type { Root, SegmentRef } from '../../core/log/root.js';
import { revokeJob } from '../../core/log/transitions.js';
import type { Region } from '../../core/memory/arena.js';
import { decodeDeletionVector } from '../../core/segment/deletion-vector.js';
import { openSegment } from '../../core/segment/segment-view.js';
import type { CatalogEntry } from '../log/catalog.js';
import { CommitLoop } from '../log/commit-loop.js';
import type { CollectionLayout, ObjectLayout } from '../log/object-layout.js';
import { newNonce } from '../log/object-layout.js';
import type { RootSnapshot } from '../log/root-store.js';
import { RootStore } from '../log/root-store.js';
import { STORAGE_RETRY, withRetry } from '../log/storage-retry.js';
import { collectCollection } from '../maintenance/collect-garbage.js';
import { Upkeep } from '../maintenance/upkeep.js';
import type { AppDependencies } from '../dependencies.js';
import { applySlot } from './apply-slot.js';
import { Collection } from './collection.js';
import { RequestWindow } from './request-window.js';
import { States } from './states.js';
import { decodeRequestWindow } from './request-window-codec.js';

export interface OpenDependencies extends AppDependencies {
  readonly layout: ObjectLayout;
  /** Numbers for memtables and segments, never given twice. */
  readonly nextTag: () => number;
}

/** Throws `COLLECTION_NOT_FOUND` when it was deleted, `MEMORY_EXHAUSTED`, `DATA_CORRUPTED`. */
export async function openCollection(deps: OpenDependencies, entry: CatalogEntry): Promise<Collection> {
  const { dimensions, metric, name, createdAtMs } = entry.schema;
  const layout = deps.layout.collection(entry.id);
  const rootStore = new RootStore({ ...deps, layout });
  const window = new RequestWindow();
  const states = new States(() => new CollectionState(deps.pool.arena, dimensions, metric, deps.nextTag));
  const upkeep = new Upkeep({
    ...deps,
    layout,
    rootStore,
    get state() {
      return states.state;
    },
    window,
    owner: newNonce(deps.rng),
    runningJobs: new Set(),
    adopt: (key, built, region, deleted) => adopt(deps, { key, bytes: built.bytes, region, deleted }),
    collect: () => collectQuietly(deps, layout, rootStore),
    reload: async () => void (await loop.recover()),
  });
  const loop: CommitLoop = new CommitLoop({
    ...deps,
    layout,
    rootStore,
    dimensions,
    alone: deps.ownsStore,
    thorough: deps.ownsStore,
    apply: (slot) => {
      states.withRoom(() => applySlot(states.written, window, slot));
      if (!states.replayed(slot, (memtable) => upkeep.isFull(memtable))) upkeep.slotApplied(slot);
    },
    reset: (snapshot) => load(deps, layout, { states, window }, snapshot),
    recovered: () => {
      const { slots, through, forgotten, flushes } = states.swap();
      deps.pool.forget(forgotten);
      upkeep.restart(slots, through, flushes);
    },
  });
  try {
    await loop.recover();
    // Jobs of a process that is gone would keep their inputs from being merged.
    if (deps.ownsStore) await rootStore.commit(revokeAllJobs);
  } catch (error) {
    await upkeep.close();
    states.release();
    throw error;
  }
  const info = { name: name as CollectionName, dimensions, metric, createdAtMs };
  const { clock, scheduler } = deps;
  const alone = deps.ownsStore;
  return new Collection({
    id: entry.id,
    info,
    present: states,
    loop,
    window,
    upkeep,
    clock,
    scheduler,
    alone,
  });
}

/** What could not be removed now is removed after the next flush or merge. */
async function collectQuietly(
  deps: OpenDependencies,
  layout: CollectionLayout,
  rootStore: RootStore,
): Promise<void> {
  try {
    await collectCollection({ ...deps, layout, rootStore });
  } catch (error) {
    deps.logger.warn('objects that nothing refers to could not be removed yet', {
      collection: layout.id,
      error: error instanceof Error ? error.message : String(error),
    });
  }
}

function revokeAllJobs(root: Root): Root {
  return root.jobs.reduce((next, { jobId }) => revokeJob(next, jobId), root);
}

interface Memory {
  readonly states: States;
  readonly window: RequestWindow;
}

async function load(
  deps: OpenDependencies,
  layout: CollectionLayout,
  { states, window }: Memory,
  { root }: RootSnapshot,
): Promise<void> {
  const present = new Map(states.state.segments.map((segment) => [segment.key, segment]));
  const next = states.begin();
  if (root.requestWindow !== undefined) {
    const { key } = root.requestWindow;
    for (const request of decodeRequestWindow(await read(deps, layout, key), key)) window.add(request);
  }
  const segments: OpenSegment[] = [];
  try {
    for (const ref of root.segments)
      segments.push(await loadSegment(deps, layout, ref, present.get(ref.key)));
  } catch (error) {
    for (const segment of segments) segment.release();
    throw error;
  }
  next.load(segments.reverse(), { sequence: root.foldedSequence, slot: root.walFloor });
}

/** Brings a segment into the arena and checks every byte of it. */
async function loadSegment(
  deps: OpenDependencies,
  layout: CollectionLayout,
  ref: SegmentRef,
  present: OpenSegment | undefined,
): Promise<OpenSegment> {
  const deleted =
    ref.deletes === undefined
      ? []
      : decodeDeletionVector(
          await read(deps, layout, ref.deletes.key),
          { segmentKey: ref.key, segmentRows: ref.rows },
          ref.deletes.key,
        );
  if (present !== undefined) {
    return adopt(deps, { key: ref.key, bytes: ref.bytes, region: present.shareRegion(), deleted });
  }
  const region = deps.pool.arena.allocate(ref.bytes, 'a segment');
  try {
    await read(deps, layout, ref.key, deps.pool.arena.bytes(region.pointer, ref.bytes));
    const bytes = deps.pool.arena.bytes(region.pointer, ref.bytes);
    openSegment(bytes, { verify: true, collectionId: layout.id, source: ref.key });
    return adopt(deps, { key: ref.key, bytes: ref.bytes, region, deleted });
  } catch (error) {
    region.release();
    throw error;
  }
}

function adopt(
  { pool, nextTag }: OpenDependencies,
  segment: {
    readonly key: string;
    readonly bytes: number;
    readonly region: Region;
    readonly deleted: Iterable<number>;
  },
): OpenSegment {
  const { key, bytes, region, deleted } = segment;
  const view = openSegment(pool.arena.bytes(region.pointer, bytes), { verify: false, source: key });
  return new OpenSegment(nextTag(), key, view, region, pool.arena, deleted);
}

/** Reads an object that the root names: its absence is damage, never an empty answer. */
async function read(
  deps: OpenDependencies,
  layout: CollectionLayout,
  key: string,
  into?: Uint8Array,
): Promise<Uint8Array> {
  const got = await withRetry({ ...deps, policy: STORAGE_RETRY }, () =>
    deps.store.get(layout.absolute(key), into === undefined ? {} : { into }),
  );
  if (got.kind === 'found' && (into === undefined || got.size === into.length)) return got.body;
  const seen = got.kind === 'found' ? `has ${got.size} bytes instead of ${into?.length ?? 0}` : 'is missing';
  throw new OmenError('DATA_CORRUPTED', `object ${layout.absolute(key)}, which the root names, ${seen}`);
}
