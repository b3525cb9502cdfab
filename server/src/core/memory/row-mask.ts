/*
 * Deleted rows of a segment or memtable, as a bitmap in the arena (bit set = gone).
 *
 * Copy on write: a snapshot that holds the bitmap's region keeps seeing it as it was; the next change goes to
 * a copy. Only rows are ever added, never taken back.
 */
import type { Arena, Region } from './arena.js';

export class RowMask {
  #region: Region | null = null;
  #words = 0;
  #count = 0;

  constructor(
    private readonly arena: Arena,
    /** Rows the mask can speak of; grows by `reserve`. */
    private rows: number,
  ) {}

  /** Rows marked. */
  get count(): number {
    return this.#count;
  }

  /** Address of the bitmap, 0 while no row is marked. */
  get pointer(): number {
    return this.#region?.pointer ?? 0;
  }

  /** The region behind `pointer`, to be retained by whoever keeps the address. */
  get region(): Region | null {
    return this.#region;
  }

  has(row: number): boolean {
    if (this.#region === null) return false;
    const word = this.arena.u32[this.#region.pointer / 4 + (row >>> 5)] ?? 0;
    return (word & (1 << (row & 31))) !== 0;
  }

  /** Marks a row; false when it was marked before. */
  add(row: number): boolean {
    if (this.has(row)) return false;
    this.#ownCopy();
    const at = this.pointer / 4 + (row >>> 5);
    this.arena.u32[at] = (this.arena.u32[at] ?? 0) | (1 << (row & 31));
    this.#count++;
    return true;
  }

  /** Makes room for rows up to `rows`. */
  reserve(rows: number): void {
    this.rows = Math.max(this.rows, rows);
    if (this.#region !== null && Math.ceil(this.rows / 32) > this.#words) this.#copy();
  }

  /** A mask of its own that shares the bitmap until one of the two changes. */
  clone(): RowMask {
    const copy = new RowMask(this.arena, this.rows);
    copy.#region = this.#region?.retain() ?? null;
    copy.#words = this.#words;
    copy.#count = this.#count;
    return copy;
  }

  /** The marked rows, ascending. */
  *[Symbol.iterator](): Generator<number> {
    if (this.#region === null) return;
    const words = this.arena.words(this.#region.pointer, this.#words);
    for (let index = 0; index < words.length; index++) {
      for (let word = words[index] ?? 0; word !== 0; word &= word - 1) {
        yield index * 32 + (31 - Math.clz32(word & -word));
      }
    }
  }

  release(): void {
    this.#region?.release();
    this.#region = null;
    this.#count = 0;
  }

  #ownCopy(): void {
    if (this.#region === null || this.#region.owners > 1) this.#copy();
  }

  #copy(): void {
    const words = Math.max(16, Math.ceil(this.rows / 32));
    const region = this.arena.allocate(words * 4, 'a bitmap of deleted rows', 'urgent');
    const target = this.arena.words(region.pointer, words).fill(0);
    if (this.#region !== null) {
      target.set(this.arena.words(this.#region.pointer, Math.min(this.#words, words)));
      this.#region.release();
    }
    this.#region = region;
    this.#words = words;
  }
}
