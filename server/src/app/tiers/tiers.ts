/*
 * Where the bytes of segments are: all of a segment in memory, or its skeleton and pieces as they are needed,
 * with a local cache before the object store. A segment moves between the two while it is in use; which of
 * them it is never changes an answer.
 *
 * Everything that is only a copy makes room at once when the arena is needed for something else: pieces
 * first, then the segments that were not used for the longest time.
 */
import type { CollectionState } from '../../core/collection/state.js';
import type { OpenSegment, SegmentBody } from '../../core/collection/open-segment.js';
import type { RowSource } from '../../core/collection/row-source.js';
import type { Snapshot } from '../../core/collection/snapshot.js';
import type { Part, SearchOutcome } from '../../core/engine/tasks.js';
import type { Region } from '../../core/memory/arena.js';
import { SKELETON_SECTIONS } from '../../core/segment/layout.js';
import { openSegment, openSkeleton } from '../../core/segment/segment-view.js';
import { countFailure } from '../background-failures.js';
import { MissingObject, readObject } from '../log/read-object.js';
import { readTwice } from '../log/storage-retry.js';
import type { AppDependencies } from '../dependencies.js';
import type { ReadRow, WantedColumns } from './paged-segments.js';
import { holdPart, PagedSegments } from './paged-segments.js';
import { PieceCache } from './piece-cache.js';
import { Reading } from './reading.js';
import type { SegmentObject } from './segment-object.js';

type TiersDependencies = Pick<
  AppDependencies,
  | ('store' | 'pool' | 'blockCache' | 'clock' | 'scheduler' | 'rng' | 'logger' | 'metrics')
  | ('ownsStore' | 'openWholeBytes' | 'promoteAfter' | 'postingBytesMax')
>;

/** A segment that lies in memory as a whole for as long as somebody needs it so. */
export interface WholeSegment extends SegmentBody {
  release(): void;
}

/** Rows that are in memory. */
export type ReadableRows = Pick<
  RowSource,
  'idOf' | 'attributesOf' | 'attributeBytesOf' | 'vectorOf' | 'vectorBytes'
>;

/** Parts of a snapshot that are in memory at the same time. */
export interface PartGroup {
  readonly parts: readonly Part[];
  /** Index of each part in the snapshot. */
  readonly indexes: readonly number[];
  readonly sources: readonly ReadableRows[];
}

/** Below this, one read of all is as fast as one of a part. */
const SMALL_BYTES = 1024 * 1024;
/** Of the arena: up to here segments of a local folder are opened whole … */
const OPEN_SHARE = 1 / 2;
/** … and segments in use brought into memory; the rest is for writes, builds and pieces. */
const PROMOTE_SHARE = 0.6;
/** Of the arena, for pieces. */
const PIECES_SHARE = 1 / 4;
const PROMOTE_AFTER = 2;

interface Use {
  lastMs: number;
  queries: number;
}

interface Loading {
  readonly body: Promise<SegmentBody>;
  users: number;
}

export class Tiers {
  readonly cache: PieceCache;
  readonly segments: PagedSegments;
  /** States whose segments may be moved. */
  states: () => Iterable<CollectionState> = () => [];
  readonly #uses = new WeakMap<OpenSegment, Use>();
  readonly #loading = new Map<OpenSegment, Loading>();
  #promoting: Promise<void> | null = null;
  #reclaiming = false;
  #closed = false;

  constructor(private readonly deps: TiersDependencies) {
    const { arena } = deps.pool;
    this.cache = new PieceCache({ ...deps, arena, budget: () => arena.capacity * PIECES_SHARE });
    this.segments = new PagedSegments(arena, this.cache, deps.postingBytesMax);
    arena.reclaim = (bytes) => this.#reclaim(bytes);
  }

  /** Whether a segment of so many bytes is read as a whole when its collection is opened. */
  opensWhole(bytes: number): boolean {
    const { ownsStore, openWholeBytes, pool } = this.deps;
    if (openWholeBytes !== undefined) return bytes <= openWholeBytes;
    if (bytes <= SMALL_BYTES) return true;
    return ownsStore && pool.arena.used + bytes <= pool.arena.capacity * OPEN_SHARE;
  }

  /** Notes that a query uses the segments of a snapshot; those that are used often come into memory. */
  used(state: CollectionState, snapshot: Snapshot): void {
    const now = this.deps.clock.monotonic();
    snapshot.parts.forEach((part, index) => {
      if (part.kind === 'memtable') return;
      const segment = snapshot.sources[index] as OpenSegment;
      const use = this.#uses.get(segment) ?? { lastMs: now, queries: 0 };
      use.lastMs = now;
      this.#uses.set(segment, use);
      if (part.kind === 'paged' && ++use.queries >= (this.deps.promoteAfter ?? PROMOTE_AFTER)) {
        this.#promote(state, segment);
      }
    });
  }

  /**
   * Calls `task` with all parts of a snapshot, those that are in memory together and each other one alone,
   * brought into memory for that.
   */
  async eachGroup<T>(
    snapshot: Snapshot,
    task: (group: PartGroup) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T[]> {
    const results: T[] = [];
    const whole = snapshot.parts.flatMap((part, index) => (part.kind === 'paged' ? [] : [{ part, index }]));
    const paged = snapshot.parts.flatMap((part, index) => (part.kind === 'paged' ? [{ part, index }] : []));
    if (whole.length > 0 || paged.length === 0) {
      const sources = whole.flatMap(({ index }) => snapshot.sources[index] ?? []);
      const indexes = whole.map(({ index }) => index);
      results.push(await task({ parts: whole.map(({ part }) => part), indexes, sources }));
    }
    for (const { part, index } of paged) {
      signal?.throwIfAborted();
      const body = await this.whole(snapshot.sources[index] as OpenSegment);
      try {
        const { view, region } = body;
        const { deleted, deletedRows, tag } = part;
        const own = { kind: 'segment', tag, pointer: region.pointer, bytes: view.bytes } as const;
        const source: ReadableRows = {
          idOf: (row) => view.idOf(row),
          attributesOf: (row) => view.attributesOf(row),
          attributeBytesOf: (row) => view.attributes.length(row),
          vectorOf: (row) => view.vectorOf(row),
          vectorBytes: view.dimensions * 4,
        };
        const parts = [{ ...own, deleted, deletedRows }];
        results.push(await task({ parts, indexes: [index], sources: [source] }));
      } finally {
        body.release();
      }
    }
    return results;
  }

  /** All of a segment, in memory until it is released. Those who need it at the same time share it. */
  async whole(segment: OpenSegment): Promise<WholeSegment> {
    // One that was let go of meanwhile has no bytes of its own any more.
    if (segment.isWhole && !segment.isReleased) {
      const { view, region } = segment.body;
      region.retain();
      return { view, region, base: 0, release: () => region.release() };
    }
    const loading = this.#loading.get(segment) ?? { body: this.load(segment, true), users: 0 };
    this.#loading.set(segment, loading);
    loading.users++;
    const leave = (): boolean => {
      if (--loading.users > 0) return false;
      this.#loading.delete(segment);
      return true;
    };
    try {
      const { view, region } = await loading.body;
      return { view, region, base: 0, release: () => void (leave() && region.release()) };
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Reads the skeleton of a segment, which begins at byte `base` of its object, into memory. */
  async skeleton(
    { location, key, bytes: size, collectionId }: SegmentObject & { readonly collectionId: string },
    base: number,
  ): Promise<SegmentBody> {
    const { pool, blockCache } = this.deps;
    const length = size - base;
    const region = pool.arena.allocate(length, 'the skeleton of a segment');
    const bytes = pool.arena.bytes(region.pointer, length);
    const open = (): SegmentBody => ({
      view: openSkeleton(bytes, { verify: true, collectionId, source: key, base }),
      region,
      base,
    });
    try {
      const piece = { object: location, offset: base, length };
      let cached = (await blockCache.get(piece, bytes)) !== undefined;
      return await readTwice(async () => {
        // Damage of a copy costs a read of the object, and nothing else.
        if (cached) {
          cached = false;
          return open();
        }
        await readObject(this.deps, location, { into: bytes, range: { offset: base, length } });
        const body = open();
        // Only what was checked: damaged bytes would be found there for ever.
        blockCache.put(piece, bytes, { admitAtOnce: true });
        return body;
      });
    } catch (error) {
      region.release();
      throw error;
    }
  }

  /**
   * Reads what is shown of hits that are not in memory, by the number of the hit. The snapshot is held
   * meanwhile.
   */
  async readOutside(
    snapshot: Snapshot,
    { parts, rows }: Pick<SearchOutcome, 'parts' | 'rows'>,
    wanted: WantedColumns,
    reading: Reading,
  ): Promise<ReadonlyMap<number, ReadRow>> {
    const hits = new Map<number, number[]>();
    parts.forEach((part, hit) => {
      if (snapshot.parts[part]?.kind !== 'paged') return;
      const own = hits.get(part);
      if (own === undefined) hits.set(part, [hit]);
      else own.push(hit);
    });
    const read = new Map<number, ReadRow>();
    const trips = [...hits].map(async ([part, own]) => {
      const held = holdPart(this.segments, snapshot, part);
      const ownRows = own.map((hit) => rows[hit] ?? 0);
      const found = await this.segments
        .readRows(held, ownRows, wanted, reading)
        .finally(() => held.release());
      own.forEach((hit, index) => read.set(hit, found.rows[index] as ReadRow));
      return found.trips;
    });
    reading.roundTrips += Math.max(0, ...(await Promise.all(trips)));
    return read;
  }

  /**
   * Brings into memory what tells which rows ids have, so that they can be found in the state and written;
   * with `records` what they hold as well.
   * Undefined when nothing is missing. Whoever changes the state in between has to ask again.
   */
  resolve(
    state: CollectionState,
    ids: readonly string[],
    {
      records = false,
      reading = new Reading(),
    }: { readonly records?: boolean; readonly reading?: Reading } = {},
  ): Promise<void> | undefined {
    if (state.unresolved(ids, records).size === 0) return undefined;
    return this.segments.resolve(state, ids, reading, records);
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#promoting;
    this.cache.evict(Infinity);
  }

  /**
   * Reads all of a segment into memory and checks every byte of it.
   *
   * @param background Nobody waits for it.
   */
  async load(
    { location, key, bytes: length, collectionId }: SegmentObject,
    background = false,
  ): Promise<SegmentBody> {
    const { arena } = this.deps.pool;
    const region = arena.allocate(length, 'a segment');
    try {
      const bytes = arena.bytes(region.pointer, length);
      const view = await readTwice(async () => {
        await readObject(this.deps, location, { into: bytes, background });
        const owner = collectionId === undefined ? {} : { collectionId };
        return openSegment(bytes, { verify: true, source: key, ...owner });
      });
      return { view, region, base: 0 };
    } catch (error) {
      region.release();
      throw error;
    }
  }

  #promote(state: CollectionState, segment: OpenSegment): void {
    const { arena } = this.deps.pool;
    const fits = arena.used + segment.bytes <= arena.capacity * PROMOTE_SHARE;
    if (this.#promoting !== null || this.#closed || !fits || segment.isWhole) return;
    this.#promoting = this.#bring(state, segment).finally(() => (this.#promoting = null));
  }

  async #bring(state: CollectionState, segment: OpenSegment): Promise<void> {
    const { metrics, logger } = this.deps;
    try {
      const { view, region, release } = await this.whole(segment);
      const owned = { view, region: region.retain(), base: 0 };
      if (!segment.isWhole && state.replaceBody(segment, owned)) this.cache.forget(segment.tag);
      else region.release();
      release();
    } catch (error) {
      // Merged away by others: there is nothing to bring.
      if (!(error instanceof MissingObject)) countFailure(metrics, 'promote', error);
      const message = error instanceof Error ? error.message : String(error);
      logger.debug('a segment was not brought into memory', { segment: segment.key, error: message });
    }
  }

  /** Makes room in the arena. True when something was freed. */
  #reclaim(bytes: number): boolean {
    // Making room needs a little room itself, which has to be there.
    if (this.#reclaiming) return false;
    this.#reclaiming = true;
    try {
      return this.cache.evict(bytes) > 0 || this.#demoteOldest() || this.#detachLookups(bytes);
    } finally {
      this.#reclaiming = false;
    }
  }

  #demoteOldest(): boolean {
    const { arena } = this.deps.pool;
    const candidates: { state: CollectionState; segment: OpenSegment; lastMs: number }[] = [];
    for (const state of this.states()) {
      if (state.isBeingWritten) continue;
      for (const segment of state.segments) {
        if (!segment.isWhole || skeletonOf(segment) === null) continue;
        candidates.push({ state, segment, lastMs: this.#uses.get(segment)?.lastMs ?? -Infinity });
      }
    }
    candidates.sort((a, b) => a.lastMs - b.lastMs);
    for (const { state, segment } of candidates) {
      const before = arena.used;
      this.#demote(state, segment);
      if (arena.used < before) return true;
    }
    return false;
  }

  /** The last to go: without them nothing can be written. */
  #detachLookups(bytes: number): boolean {
    for (const state of this.states()) {
      if (state.isBeingWritten) continue;
      for (const segment of state.segments) segment.detachLookup();
    }
    return this.cache.evict(bytes) > 0;
  }

  #demote(state: CollectionState, segment: OpenSegment): void {
    const { arena } = this.deps.pool;
    const base = skeletonOf(segment);
    const { region: whole, view } = segment.body;
    // Somebody else reads it: letting go of it would free nothing, and cost reading it again.
    state.forgetSnapshot();
    if (base === null || whole.owners > 1) return;
    const length = view.bytes - base;
    let region: Region;
    try {
      region = arena.allocate(length, 'the skeleton of a segment', 'urgent');
    } catch {
      return;
    }
    arena.u8.copyWithin(region.pointer, whole.pointer + base, whole.pointer + view.bytes);
    const bytes = arena.bytes(region.pointer, length);
    const skeleton = openSkeleton(bytes, { verify: false, source: segment.key, base });
    state.replaceBody(segment, { view: skeleton, region, base });
    const use = this.#uses.get(segment);
    if (use !== undefined) use.queries = 0;
  }
}

/** Where a segment's skeleton begins; null when it has none. */
function skeletonOf({ view }: OpenSegment): number | null {
  return view.footer.entries.find(({ kind }) => kind === SKELETON_SECTIONS[0])?.offset ?? null;
}
