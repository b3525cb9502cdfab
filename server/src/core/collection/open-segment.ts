/*
 * A segment of an open collection, with the rows that newer writes have taken out of it. All of its bytes lie
 * in the arena, or only its skeleton: then an id is found in an index that was attached, and whether a row
 * with the right hash is the record has to be found out before (`resolve`).
 *
 * Two kinds of deletion: those that the root knows (persisted, in a deletion vector), and those that only the
 * log knows (pending, with the sequence number of the write). A flush that folds the log up to a sequence
 * number persists exactly the pending ones up to there, so the root describes one moment of the history and
 * never a mixture.
 */
import type { PagedPart } from '../engine/stages.js';
import type { SegmentPart } from '../engine/tasks.js';
import { Setsum } from '../log/setsum.js';
import type { Arena, Region } from '../memory/arena.js';
import { RowMask } from '../memory/row-mask.js';
import { encodeText } from '../record/text.js';
import type { IdIndexView } from '../segment/id-index.js';
import type { SegmentView } from '../segment/segment-view.js';
import type { RowSource } from './row-source.js';

/** What of a segment lies in the arena. */
export interface SegmentBody {
  readonly view: SegmentView;
  /** The segment from byte `base` to its end. */
  readonly region: Region;
  /** 0: all of it. */
  readonly base: number;
}

/** What a write needs to know of a row that it replaces. */
export interface KnownRow {
  /** -1: the segment has no such record, only one with the same hash. */
  readonly row: number;
  /** Sequence number of the write that made it. */
  readonly sequence: number;
  /** Its content, when that was read as well. */
  readonly record?: ReadRecord;
}

/** The content of a record as it was written. */
export interface ReadRecord {
  readonly vector: Float32Array;
  /** Encoded. */
  readonly attributes: Uint8Array;
}

/** An id index that lies in the arena, and the right to use it. */
export interface AttachedLookup {
  readonly index: IdIndexView;
  readonly release: () => void;
}

/** An id was asked for that has to be resolved first. */
export class UnresolvedId extends Error {
  constructor() {
    super('an id has to be looked up in a segment that is not in memory');
  }
}

/** Resolved ids that are kept, and more when one batch has more. */
const RESOLVED_MAX = 65_536;

export class OpenSegment implements RowSource {
  /** All deleted rows. */
  readonly mask: RowMask;
  #persisted: RowMask;
  readonly #pending = new Map<number, number>();
  #body: SegmentBody;
  #lookup: AttachedLookup | null = null;
  #released = false;
  readonly #resolved = new Map<string, KnownRow>();
  readonly #records = new Map<number, ReadRecord>();
  /** Of pending rows that were removed while the segment was not in memory. */
  readonly #removed = new Map<number, { readonly id: string; readonly sequence: number }>();

  constructor(
    readonly tag: number,
    /** The object's key in the root, and in the store. */
    readonly key: string,
    readonly location: string,
    body: SegmentBody,
    arena: Arena,
    /** Rows that the root calls deleted. */
    deletedRows: Iterable<number>,
  ) {
    this.#body = body;
    this.mask = new RowMask(arena, body.view.rows);
    for (const row of deletedRows) this.mask.add(row);
    this.#persisted = this.mask.clone();
  }

  /** Nobody may use it any more. */
  get isReleased(): boolean {
    return this.#released;
  }

  /** What of it lies in memory. */
  get body(): SegmentBody {
    return this.#body;
  }

  /** All of it lies in memory. */
  get isWhole(): boolean {
    return this.#body.base === 0;
  }

  /** Its sections, as far as they are in memory. */
  get view(): SegmentView {
    return this.#body.view;
  }

  /**
   * Puts other bytes of the segment in place. Snapshots keep those that they retained. Only for the state
   * that the segment belongs to.
   */
  replaceBody(body: SegmentBody): void {
    if (body.base > 0 && this.isWhole) {
      for (const row of this.#pending.keys()) this.#removed.set(row, this.#knownOf(row));
    }
    this.#body.region.release();
    this.#body = body;
    if (this.isWhole) this.detachLookup();
  }

  /** What of it lies in memory, with one more owner of its region. */
  shareBody(): SegmentBody {
    this.#body.region.retain();
    return this.#body;
  }

  get rows(): number {
    return this.view.rows;
  }

  get live(): number {
    return this.view.rows - this.mask.count;
  }

  /** Bytes of the object. */
  get bytes(): number {
    return this.view.bytes;
  }

  /** Bytes of it that lie in memory. */
  get residentBytes(): number {
    return this.#body.region.bytes;
  }

  /** Deleted rows as the root has them. */
  get persisted(): RowMask {
    return this.#persisted;
  }

  /** Deleted rows that only the log knows, with the sequence number of the deletion. */
  get pending(): ReadonlyMap<number, number> {
    return this.#pending;
  }

  /** Whether ids can be looked up. */
  get hasLookup(): boolean {
    return this.isWhole || this.#lookup !== null;
  }

  /** Lets ids be looked up although the segment is not in memory. */
  attachLookup(lookup: AttachedLookup): void {
    this.detachLookup();
    this.#lookup = lookup;
  }

  /** Gives the index back: ids have to be resolved anew. */
  detachLookup(): void {
    this.#lookup?.release();
    this.#lookup = null;
    this.#resolved.clear();
    this.#records.clear();
  }

  /**
   * Rows that may be the record of an id: those with its hash that are not deleted. To be compared by whoever
   * can read them, who then calls `resolve`.
   */
  rowsLike(id: string): number[] {
    if (this.#lookup === null) throw new UnresolvedId();
    return [...this.#lookup.index.rowsLike(id)].filter((row) => !this.mask.has(row));
  }

  /**
   * Forgets earlier ids when they and so many more are too many. A batch is kept whole, however large it is:
   * of one that pushed itself out, something would be unresolved for ever.
   */
  expectResolved(count: number): void {
    if (this.#resolved.size + count <= RESOLVED_MAX) return;
    this.#resolved.clear();
    this.#records.clear();
  }

  /** Notes which row an id has. */
  resolve(id: string, known: KnownRow): void {
    this.#resolved.set(id, known);
    if (known.record !== undefined) this.#records.set(known.row, known.record);
  }

  /** Whether `find` can tell, and with `record` also whether the record can be read. */
  knows(id: string, record = false): boolean {
    if (this.isWhole) return true;
    const known = this.#resolved.get(id);
    if (known === undefined) return this.#lookup !== null && this.rowsLike(id).length === 0;
    return !record || known.row < 0 || this.mask.has(known.row) || this.#records.has(known.row);
  }

  /** Throws `UnresolvedId`. */
  find(id: string): number {
    const row = this.isWhole ? this.view.find(id) : this.#findResolved(id);
    return row >= 0 && this.mask.has(row) ? -1 : row;
  }

  /** Throws `UnresolvedId` before anything is changed. */
  remove(id: string, sequence: number): boolean {
    const row = this.find(id);
    if (row < 0) return false;
    const known = this.isWhole ? undefined : this.#resolved.get(id);
    if (known !== undefined) this.#removed.set(row, { id, sequence: known.sequence });
    this.#pending.set(row, sequence);
    return this.mask.add(row);
  }

  /** Pending rows up to `sequence`, ascending: what a flush up to there adds to the deletion vector. */
  pendingUpTo(sequence: number): number[] {
    return [...this.#pending].filter(([, at]) => at <= sequence).map(([row]) => row);
  }

  /** Setsum of some of the rows: pending ones, when the segment is not in memory. */
  setsumOf(rows: Iterable<number>): Setsum {
    if (this.isWhole) return this.view.setsumOf(rows);
    const sum = new Setsum();
    for (const row of rows) {
      const { id, sequence } = this.#knownOf(row);
      sum.add(encodeText(id), sequence);
    }
    return sum;
  }

  /** The root knows these rows now. */
  markPersisted(rows: Iterable<number>): void {
    for (const row of rows) {
      this.#persisted.add(row);
      this.#pending.delete(row);
      this.#removed.delete(row);
    }
  }

  /** Of any row when the segment is in memory, else of pending ones. */
  idOf(row: number): string {
    return this.#removed.get(row)?.id ?? this.view.idOf(row);
  }

  /** Throws `UnresolvedId` when neither the segment nor the record was read. */
  attributesOf(row: number): Uint8Array {
    return this.isWhole ? this.view.attributesOf(row) : this.#recordOf(row).attributes;
  }

  attributeBytesOf(row: number): number {
    return this.isWhole ? this.view.attributes.length(row) : this.#recordOf(row).attributes.length;
  }

  get vectorBytes(): number {
    return this.view.dimensions * 4;
  }

  /** Throws like `attributesOf`. */
  vectorOf(row: number): Float32Array {
    return this.isWhole ? this.view.vectorOf(row) : this.#recordOf(row).vector;
  }

  part(): SegmentPart | PagedPart {
    return this.isWhole ? this.partWith(this.mask) : this.#pagedPart();
  }

  /** A whole segment with other deleted rows than the current ones. */
  partWith(mask: RowMask, { region, view } = this.#body): SegmentPart {
    return {
      kind: 'segment',
      tag: this.tag,
      pointer: region.pointer,
      bytes: view.bytes,
      deleted: mask.pointer,
      deletedRows: mask.count,
    };
  }

  regions(): Region[] {
    const mask = this.mask.region;
    return mask === null ? [this.#body.region] : [this.#body.region, mask];
  }

  release(): void {
    this.#released = true;
    this.#body.region.release();
    this.#lookup?.release();
    this.#lookup = null;
    this.mask.release();
    this.#persisted.release();
  }

  #pagedPart(): PagedPart {
    const { region, view, base } = this.#body;
    return {
      ...{ kind: 'paged', tag: this.tag, pointer: region.pointer, bytes: view.bytes - base, base },
      ...{ rows: view.rows, deleted: this.mask.pointer, deletedRows: this.mask.count, sections: [] },
    };
  }

  #recordOf(row: number): ReadRecord {
    const record = this.#records.get(row);
    if (record === undefined) throw new UnresolvedId();
    return record;
  }

  #findResolved(id: string): number {
    const known = this.#resolved.get(id);
    if (known !== undefined) return known.row;
    if (!this.knows(id)) throw new UnresolvedId();
    return -1;
  }

  #knownOf(row: number): { readonly id: string; readonly sequence: number } {
    const removed = this.#removed.get(row);
    if (removed !== undefined) return removed;
    return { id: this.view.idOf(row), sequence: this.view.sequenceOf(row) };
  }
}
