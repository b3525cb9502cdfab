/*
 * From object storage into memory: the segments that a root names, each with its deleted rows.
 */
import type { SegmentBody } from '../../core/collection/open-segment.js';
import { OpenSegment } from '../../core/collection/open-segment.js';
import type { CollectionState } from '../../core/collection/state.js';
import type { DeletesRef, Root, SegmentRef } from '../../core/log/root.js';
import type { Region } from '../../core/memory/arena.js';
import { decodeDeletionVector } from '../../core/segment/deletion-vector.js';
import { openSegment } from '../../core/segment/segment-view.js';
import type { EnginePool } from '../../ports/engine-pool.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type { CollectionLayout } from '../log/object-layout.js';
import { readTwice } from '../log/storage-retry.js';
import type { Tiers } from '../tiers/tiers.js';
import { readObject } from '../log/read-object.js';

/** Hides round trips; a large segment is read in parts beside each other anyway. */
const LOADED_AT_ONCE = 4;

export interface LoadDependencies {
  readonly store: ObjectStore;
  readonly pool: EnginePool;
  readonly scheduler: Scheduler;
  readonly rng: Rng;
  readonly tiers: Tiers;
  /** Numbers for memtables and segments, never given twice. */
  readonly nextTag: () => number;
}

export interface LoadOptions {
  /** Empty. */
  readonly state: CollectionState;
  /** Open segments whose bytes may be shared. */
  readonly present: readonly OpenSegment[];
  /** Segments are brought into memory as a whole, however large they are. */
  readonly inMemory?: boolean;
}

/**
 * Opens the segments of `root` in an empty `state`. The bytes of those in `present` are shared and not read
 * again. Throws `MEMORY_EXHAUSTED`, `DATA_CORRUPTED`.
 */
export async function loadSegments(
  deps: LoadDependencies,
  layout: CollectionLayout,
  root: Root,
  { state, present, inMemory = false }: LoadOptions,
): Promise<void> {
  // A merge may let go of them while the others are read.
  const shared = inMemory ? present.filter(({ isWhole }) => isWhole) : present;
  const known = new Map(shared.map((segment) => [segment.key, segment.shareBody()]));
  const segments: OpenSegment[] = [];
  try {
    for (let from = 0; from < root.segments.length; from += LOADED_AT_ONCE) {
      const group = root.segments.slice(from, from + LOADED_AT_ONCE);
      const loaded = await Promise.allSettled(
        group.map((ref) => loadSegment(deps, layout, ref, { present: known.get(ref.key), inMemory })),
      );
      for (const result of loaded) if (result.status === 'fulfilled') segments.push(result.value);
      for (const result of loaded) if (result.status === 'rejected') throw result.reason;
    }
  } catch (error) {
    for (const segment of segments) segment.release();
    throw error;
  } finally {
    for (const { region } of known.values()) region.release();
  }
  state.load(segments.reverse(), { sequence: root.foldedSequence, slot: root.walFloor });
}

/** Brings a segment into the arena, or its skeleton, and checks every byte of that. */
async function loadSegment(
  deps: LoadDependencies,
  layout: CollectionLayout,
  ref: SegmentRef,
  how: Pick<Loaded, 'present' | 'inMemory'>,
): Promise<OpenSegment> {
  const { deletes } = ref;
  const deleted = deletes === undefined ? [] : await readTwice(() => readDeletes(deps, layout, ref, deletes));
  const location = layout.locate(ref);
  const body = await loadBody(deps, { layout, ref, location, ...how });
  try {
    return new OpenSegment(deps.nextTag(), ref.key, location, body, deps.pool.arena, deleted);
  } catch (error) {
    body.region.release();
    throw error;
  }
}

interface Loaded {
  readonly layout: CollectionLayout;
  readonly ref: SegmentRef;
  readonly location: string;
  readonly present: SegmentBody | undefined;
  readonly inMemory: boolean;
}

async function loadBody(
  deps: LoadDependencies,
  { layout, ref, location, present, inMemory }: Loaded,
): Promise<SegmentBody> {
  if (present !== undefined) {
    present.region.retain();
    return present;
  }
  const { key, bytes: length, summary } = ref;
  const { skeleton, clusters } = summary as { readonly skeleton?: unknown; readonly clusters?: unknown };
  const object = { location, key, bytes: length, collectionId: ref.writtenFor ?? layout.id };
  const paged = !inMemory && clusters !== undefined && !deps.tiers.opensWhole(length);
  if (paged && typeof skeleton === 'number') {
    return deps.tiers.skeleton(object, skeleton);
  }
  return deps.tiers.load(object);
}

async function readDeletes(
  deps: LoadDependencies,
  layout: CollectionLayout,
  { key, rows }: SegmentRef,
  deletes: DeletesRef,
): Promise<Iterable<number>> {
  const body = await readObject(deps, layout.locate(deletes));
  return decodeDeletionVector(body, { segmentKey: key, segmentRows: rows }, deletes.key);
}

/** A segment that lies in the arena, as part of a collection. */
export function adopt(
  { pool, nextTag }: Pick<LoadDependencies, 'pool' | 'nextTag'>,
  segment: {
    readonly key: string;
    readonly location: string;
    readonly bytes: number;
    readonly region: Region;
    readonly deleted: Iterable<number>;
  },
): OpenSegment {
  const { key, location, bytes, region, deleted } = segment;
  const view = openSegment(pool.arena.bytes(region.pointer, bytes), { verify: false, source: key });
  return new OpenSegment(nextTag(), key, location, { view, region, base: 0 }, pool.arena, deleted);
}
