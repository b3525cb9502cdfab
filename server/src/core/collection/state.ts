/*
 * What a collection looks like in memory: one memtable that takes writes, frozen memtables on their way into
 * segments, open segments.
 *
 * Every change is synchronous and whole, so a snapshot taken between two calls is consistent.
 * Invariant: over all sources, at most one row of an id is visible. A write therefore masks the older row at
 * once, wherever it lies.
 */
import { invariant } from '../errors.js';
import type { Arena } from '../memory/arena.js';
import type { PutColumns } from '../memory/memtable.js';
import { Memtable, roomOf } from '../memory/memtable.js';
import type { Room } from '../memory/memtable.js';
import type { RowMask } from '../memory/row-mask.js';
import type { Metric } from '../vector/metric.js';
import type { OpenSegment, SegmentBody } from './open-segment.js';
import { UnresolvedId } from './open-segment.js';
import type { RowSource } from './row-source.js';
import { Snapshot } from './snapshot.js';

export interface Location {
  readonly source: RowSource;
  readonly row: number;
}

/** One write of a slot; `put` is the index into the slot's puts. */
export type AppliedWrite =
  { readonly kind: 'put'; readonly put: number } | { readonly kind: 'delete'; readonly id: string };

/** A memtable that takes no more puts, on its way into a segment. */
export interface FrozenMemtable {
  readonly memtable: Memtable;
  /** The memtable's deleted rows at the freeze: the new segment leaves them out, and only them. */
  readonly mask: RowMask;
  /**
   * The newest write in it or before it: with the segment made of it, the root holds exactly the writes up to
   * here.
   */
  readonly sequence: number;
}

export class CollectionState {
  #memtable: Memtable;
  #frozen: readonly FrozenMemtable[] = [];
  #segments: readonly OpenSegment[] = [];
  #snapshot: Snapshot | null = null;
  #sequence = 0;
  #foldedSlot = 0;
  #applying = false;
  #released = false;

  constructor(
    private readonly arena: Arena,
    readonly dimensions: number,
    readonly metric: Metric,
    private readonly nextTag: () => number,
  ) {
    this.#memtable = this.#newMemtable();
  }

  get memtable(): Memtable {
    return this.#memtable;
  }

  get frozen(): readonly FrozenMemtable[] {
    return this.#frozen;
  }

  get segments(): readonly OpenSegment[] {
    return this.#segments;
  }

  /** The newest write applied. */
  get sequence(): number {
    return this.#sequence;
  }

  /** A slot is being applied: what its ids are looked up in has to stay. */
  get isBeingWritten(): boolean {
    return this.#applying;
  }

  /** Another state took its place: it finds nothing any more. */
  get isReleased(): boolean {
    return this.#released;
  }

  /** Visible records. */
  get records(): number {
    let records = this.#memtable.live;
    for (const { memtable } of this.#frozen) records += memtable.live;
    for (const { live } of this.#segments) records += live;
    return records;
  }

  /** The log up to this slot is in the segments; what the memtables hold comes after it. */
  get foldedSlot(): number {
    return this.#foldedSlot;
  }

  /** Finds the visible row of an id. */
  locate(id: string): Location | null {
    for (const source of this.#sources()) {
      const row = source.find(id);
      if (row >= 0) return { source, row };
    }
    return null;
  }

  /**
   * Makes sure that puts of this size can be applied. Throws `MEMORY_EXHAUSTED`; a write is checked so before
   * it is made durable.
   */
  reserve(room: Room): void {
    this.#memtable.reserve(room);
  }

  /**
   * The segments in which ids have to be resolved before they can be written or found, and with `records`
   * before their records can be read.
   */
  unresolved(ids: Iterable<string>, records = false): Map<OpenSegment, string[]> {
    const open = new Map<OpenSegment, string[]>();
    const outside = this.#segments.filter(({ isWhole }) => !isWhole);
    if (outside.length === 0) return open;
    for (const id of ids) {
      for (const segment of outside) {
        if (segment.knows(id, records)) continue;
        const waiting = open.get(segment);
        if (waiting === undefined) open.set(segment, [id]);
        else waiting.push(id);
      }
    }
    return open;
  }

  /** Puts other bytes of a segment in place, if it is still one of the collection's. */
  replaceBody(segment: OpenSegment, body: SegmentBody): boolean {
    if (!this.#segments.includes(segment)) return false;
    this.#dropSnapshot();
    segment.replaceBody(body);
    return true;
  }

  /**
   * Applies the writes of a slot in order. Throws `MEMORY_EXHAUSTED`, and `UnresolvedId` when making room for
   * them pushed out what their ids are found in, before anything changed.
   */
  apply(writes: Iterable<AppliedWrite>, puts: PutColumns, firstSequence: number): void {
    this.#memtable.reserve(roomOf(puts));
    const list = [...writes];
    const ids = list.map((write) => (write.kind === 'put' ? (puts.ids[write.put] ?? '') : write.id));
    if (this.unresolved(ids).size > 0) throw new UnresolvedId();
    this.#dropSnapshot();
    this.#applying = true;
    try {
      this.#applyAll(list, puts, firstSequence);
    } finally {
      this.#applying = false;
    }
  }

  #applyAll(writes: readonly AppliedWrite[], puts: PutColumns, firstSequence: number): void {
    let sequence = firstSequence;
    for (const write of writes) {
      if (write.kind === 'put') {
        this.#removeElsewhere(puts.ids[write.put] ?? '', sequence);
        this.#memtable.put(puts, write.put, sequence);
      } else if (!this.#memtable.remove(write.id, sequence)) {
        this.#removeElsewhere(write.id, sequence);
      }
      sequence++;
    }
    this.#sequence = Math.max(this.#sequence, sequence - 1);
  }

  /** The current state; the caller releases it. Taking one between two writes is free. */
  snapshot(): Snapshot {
    this.#snapshot ??= new Snapshot(
      this.#sources().filter((source) => source.live > 0),
      this.#sequence,
    );
    return this.#snapshot.retain();
  }

  /** Lets go of the snapshot that is kept for the next reader, if nobody reads it. */
  forgetSnapshot(): void {
    this.#dropSnapshot();
  }

  /** Puts an empty memtable in place; the old one goes on being read until `publishFlush`. */
  freeze(): FrozenMemtable {
    this.#memtable.freeze();
    const frozen: FrozenMemtable = {
      memtable: this.#memtable,
      mask: this.#memtable.mask.clone(),
      sequence: this.#sequence,
    };
    this.#frozen = [frozen, ...this.#frozen];
    this.#memtable = this.#newMemtable();
    this.#dropSnapshot();
    return frozen;
  }

  /** Tags of everything in it. */
  get tags(): readonly number[] {
    return this.#sources().map(({ tag }) => tag);
  }

  /** Opens with the segments of the root. */
  load(segments: readonly OpenSegment[], folded: { readonly sequence: number; readonly slot: number }): void {
    invariant(this.#segments.length === 0 && this.#memtable.rows === 0, 'a collection is loaded twice');
    this.#segments = segments;
    this.#sequence = folded.sequence;
    this.#foldedSlot = folded.slot;
  }

  /** Replaces a frozen memtable by the segment made of it (null when no row of it was left). */
  publishFlush(frozen: FrozenMemtable, segment: OpenSegment | null, foldedSlot: number): void {
    this.#foldedSlot = foldedSlot;
    this.#frozen = this.#frozen.filter((other) => other !== frozen);
    this.#replace([], segment, [[frozen.memtable, frozen.memtable.laterDeletes]]);
    frozen.memtable.release();
    frozen.mask.release();
  }

  /**
   * Replaces merged segments by the one made of them (null when no row was left). `deletes` names, for each
   * of them, the rows that were deleted but that the merge took along, with the sequence number of the
   * deletion.
   */
  publishMerge(
    inputs: ReadonlyMap<OpenSegment, ReadonlyMap<number, number>>,
    segment: OpenSegment | null,
  ): void {
    this.#replace([...inputs.keys()], segment, inputs);
    for (const input of inputs.keys()) input.release();
  }

  release(): void {
    this.#released = true;
    this.#dropSnapshot();
    for (const source of this.#sources()) source.release();
    for (const frozen of this.#frozen) frozen.mask.release();
    this.#frozen = [];
    this.#segments = [];
  }

  #replace(
    inputs: readonly OpenSegment[],
    segment: OpenSegment | null,
    deletes: Iterable<readonly [RowSource, ReadonlyMap<number, number>]>,
  ): void {
    this.#segments = this.#segments.filter((other) => !inputs.includes(other));
    if (segment !== null) {
      for (const [source, rows] of deletes) {
        for (const [row, sequence] of rows) segment.remove(source.idOf(row), sequence);
      }
      this.#segments = [segment, ...this.#segments];
    }
    this.#dropSnapshot();
  }

  /** Whether the record of an id lies in a memtable, so that no segment has to be looked at. */
  isFresh(id: string): boolean {
    return this.#memtable.find(id) >= 0 || this.#frozen.some(({ memtable }) => memtable.find(id) >= 0);
  }

  #newMemtable(): Memtable {
    return new Memtable(this.arena, this.nextTag(), this.dimensions, this.metric);
  }

  #removeElsewhere(id: string, sequence: number): void {
    for (const frozen of this.#frozen) if (frozen.memtable.remove(id, sequence)) return;
    for (const segment of this.#segments) if (segment.remove(id, sequence)) return;
  }

  #sources(): RowSource[] {
    return [this.#memtable, ...this.#frozen.map((frozen) => frozen.memtable), ...this.#segments];
  }

  #dropSnapshot(): void {
    this.#snapshot?.release();
    this.#snapshot = null;
  }
}
