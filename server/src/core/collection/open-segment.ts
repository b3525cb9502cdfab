/*
 * A segment whose bytes lie in the arena, with the rows that newer writes have taken out of it.
 *
 * Two kinds of deletion: those that the root knows (persisted, in a deletion vector), and those that only the
 * log knows (pending, with the sequence number of the write). A flush that folds the log up to a sequence
 * number persists exactly the pending ones up to there, so the root describes one moment of the history and
 * never a mixture.
 */
import type { SegmentPart } from '../engine/tasks.js';
import type { Setsum } from '../log/setsum.js';
import type { Arena, Region } from '../memory/arena.js';
import { RowMask } from '../memory/row-mask.js';
import type { SegmentView } from '../segment/segment-view.js';
import type { RowSource } from './row-source.js';

export class OpenSegment implements RowSource {
  /** All deleted rows. */
  readonly mask: RowMask;
  #persisted: RowMask;
  readonly #pending = new Map<number, number>();

  constructor(
    readonly tag: number,
    /** The object's key. */
    readonly key: string,
    readonly view: SegmentView,
    private readonly region: Region,
    arena: Arena,
    /** Rows that the root calls deleted. */
    deletedRows: Iterable<number>,
  ) {
    this.mask = new RowMask(arena, view.rows);
    for (const row of deletedRows) this.mask.add(row);
    this.#persisted = this.mask.clone();
  }

  /** The memory of the segment, with one more owner. */
  shareRegion(): Region {
    return this.region.retain();
  }

  get rows(): number {
    return this.view.rows;
  }

  get live(): number {
    return this.view.rows - this.mask.count;
  }

  get bytes(): number {
    return this.region.bytes;
  }

  /** Deleted rows as the root has them. */
  get persisted(): RowMask {
    return this.#persisted;
  }

  /** Deleted rows that only the log knows, with the sequence number of the deletion. */
  get pending(): ReadonlyMap<number, number> {
    return this.#pending;
  }

  find(id: string): number {
    const row = this.view.find(id);
    return row >= 0 && this.mask.has(row) ? -1 : row;
  }

  remove(id: string, sequence: number): boolean {
    const row = this.find(id);
    if (row < 0) return false;
    this.#pending.set(row, sequence);
    return this.mask.add(row);
  }

  /** Pending rows up to `sequence`, ascending: what a flush up to there adds to the deletion vector. */
  pendingUpTo(sequence: number): number[] {
    return [...this.#pending].filter(([, at]) => at <= sequence).map(([row]) => row);
  }

  /** Setsum of some of the rows. */
  setsumOf(rows: Iterable<number>): Setsum {
    return this.view.setsumOf(rows);
  }

  /** The root knows these rows now. */
  markPersisted(rows: Iterable<number>): void {
    for (const row of rows) {
      this.#persisted.add(row);
      this.#pending.delete(row);
    }
  }

  idOf(row: number): string {
    return this.view.idOf(row);
  }

  attributesOf(row: number): Uint8Array {
    return this.view.attributesOf(row);
  }

  attributeBytesOf(row: number): number {
    return this.view.attributes.length(row);
  }

  get vectorBytes(): number {
    return this.view.dimensions * 4;
  }

  vectorOf(row: number): Float32Array {
    return this.view.vectorOf(row);
  }

  part(): SegmentPart {
    return this.partWith(this.mask);
  }

  /** The segment with other deleted rows than the current ones. */
  partWith(mask: RowMask): SegmentPart {
    return {
      kind: 'segment',
      tag: this.tag,
      pointer: this.region.pointer,
      bytes: this.view.bytes,
      deleted: mask.pointer,
      deletedRows: mask.count,
    };
  }

  regions(): Region[] {
    const mask = this.mask.region;
    return mask === null ? [this.region] : [this.region, mask];
  }

  release(): void {
    this.region.release();
    this.mask.release();
    this.#persisted.release();
  }
}
