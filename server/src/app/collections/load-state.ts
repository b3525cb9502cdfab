/*
 * From object storage into memory: the segments that a root names, each with its deleted rows.
 */
import { OpenSegment } from '../../core/collection/open-segment.js';
import type { CollectionState } from '../../core/collection/state.js';
import { OmenError } from '../../core/errors.js';
import type { DeletesRef, Root, SegmentRef } from '../../core/log/root.js';
import type { Region } from '../../core/memory/arena.js';
import { decodeDeletionVector } from '../../core/segment/deletion-vector.js';
import { openSegment } from '../../core/segment/segment-view.js';
import type { EnginePool } from '../../ports/engine-pool.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type { CollectionLayout } from '../log/object-layout.js';
import { readTwice, STORAGE_RETRY, withRetry } from '../log/storage-retry.js';

/** Hides round trips; a large segment is read in parts beside each other anyway. */
const LOADED_AT_ONCE = 4;

export interface LoadDependencies {
  readonly store: ObjectStore;
  readonly pool: EnginePool;
  readonly scheduler: Scheduler;
  readonly rng: Rng;
  /** Numbers for memtables and segments, never given twice. */
  readonly nextTag: () => number;
}

/**
 * Opens the segments of `root` in an empty `state`. The bytes of those in `present` are shared and not read
 * again. Throws `MEMORY_EXHAUSTED`, `DATA_CORRUPTED`.
 */
export async function loadSegments(
  deps: LoadDependencies,
  layout: CollectionLayout,
  root: Root,
  { state, present }: { readonly state: CollectionState; readonly present: readonly OpenSegment[] },
): Promise<void> {
  // A merge may let go of them while the others are read.
  const known = new Map(present.map((segment) => [segment.key, segment.shareRegion()]));
  const segments: OpenSegment[] = [];
  try {
    for (let from = 0; from < root.segments.length; from += LOADED_AT_ONCE) {
      const group = root.segments.slice(from, from + LOADED_AT_ONCE);
      const loaded = await Promise.allSettled(
        group.map((ref) => loadSegment(deps, layout, ref, known.get(ref.key))),
      );
      for (const result of loaded) if (result.status === 'fulfilled') segments.push(result.value);
      for (const result of loaded) if (result.status === 'rejected') throw result.reason;
    }
  } catch (error) {
    for (const segment of segments) segment.release();
    throw error;
  } finally {
    for (const region of known.values()) region.release();
  }
  state.load(segments.reverse(), { sequence: root.foldedSequence, slot: root.walFloor });
}

/** Brings a segment into the arena and checks every byte of it. */
async function loadSegment(
  deps: LoadDependencies,
  layout: CollectionLayout,
  ref: SegmentRef,
  present: Region | undefined,
): Promise<OpenSegment> {
  const { deletes } = ref;
  const deleted = deletes === undefined ? [] : await readTwice(() => readDeletes(deps, layout, ref, deletes));
  if (present !== undefined) {
    return adopt(deps, { key: ref.key, bytes: ref.bytes, region: present.retain(), deleted });
  }
  const region = deps.pool.arena.allocate(ref.bytes, 'a segment');
  try {
    const bytes = deps.pool.arena.bytes(region.pointer, ref.bytes);
    await readTwice(async () => {
      await readObject(deps, layout.locate(ref), bytes);
      openSegment(bytes, { verify: true, collectionId: ref.writtenFor ?? layout.id, source: ref.key });
    });
    return adopt(deps, { key: ref.key, bytes: ref.bytes, region, deleted });
  } catch (error) {
    region.release();
    throw error;
  }
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
    readonly bytes: number;
    readonly region: Region;
    readonly deleted: Iterable<number>;
  },
): OpenSegment {
  const { key, bytes, region, deleted } = segment;
  const view = openSegment(pool.arena.bytes(region.pointer, bytes), { verify: false, source: key });
  return new OpenSegment(nextTag(), key, view, region, pool.arena, deleted);
}

/** Reads an object that a root names: its absence is damage, never an empty answer. */
export async function readObject(
  deps: Pick<LoadDependencies, 'store' | 'scheduler' | 'rng'>,
  key: string,
  into?: Uint8Array,
): Promise<Uint8Array> {
  const got = await withRetry({ ...deps, policy: STORAGE_RETRY }, () =>
    deps.store.get(key, into === undefined ? {} : { into }),
  );
  if (got.kind === 'found' && (into === undefined || got.size === into.length)) return got.body;
  const seen = got.kind === 'found' ? `has ${got.size} bytes instead of ${into?.length ?? 0}` : 'is missing';
  throw new OmenError('DATA_CORRUPTED', `object ${key}, which the root names, ${seen}`);
}
