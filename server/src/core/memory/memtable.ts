/*
 * The records of a collection that are in the log but not yet in a segment, laid out so that an engine can
 * scan them as they are.
 *
 * Rows are appended in the order of their writes and never change; a newer write of an id marks the older row
 * as deleted. The memtable's own map finds a row by id. It is used by one thread; engines read what a
 * snapshot names. Invariant: at most one row of an id is not deleted, the one the map names.
 */
import type { RowSource } from '../collection/row-source.js';
import type { MemtablePart } from '../engine/tasks.js';
import { Setsum } from '../log/setsum.js';
import { decodeText, encodeText } from '../record/text.js';
import type { Metric } from '../vector/metric.js';
import { rowStride, squaredNorm, factorOfNorm } from '../vector/metric.js';
import type { Arena, Region } from './arena.js';
import { GrowingArray } from './growing-array.js';
import { RowMask } from './row-mask.js';

/** Few: many collections get a record now and then, and rows are as wide as 16 KiB. */
const INITIAL_ROWS = 16;

/** The puts of one slot, by columns. */
export interface PutColumns {
  readonly ids: readonly string[];
  /** Unpadded rows. */
  readonly vectors: Float32Array;
  /** Encoded attributes; an empty array for a record without. */
  readonly attributes: readonly Uint8Array[];
}

/** What puts take in a memtable. */
export interface Room {
  readonly rows: number;
  readonly idBytes: number;
  readonly attributeBytes: number;
}

/** The room that these puts take, ids counted at their largest possible UTF-8 size. */
export function roomOf(columns: Pick<PutColumns, 'ids' | 'attributes'>): Room {
  return {
    rows: columns.ids.length,
    idBytes: columns.ids.reduce((sum, id) => sum + id.length * 3, 0),
    attributeBytes: columns.attributes.reduce((sum, bytes) => sum + bytes.length, 0),
  };
}

export class Memtable implements RowSource {
  readonly mask: RowMask;
  readonly #rowOf = new Map<string, number>();
  readonly #raw: GrowingArray;
  readonly #factors: GrowingArray;
  readonly #sequences: GrowingArray;
  readonly #idOffsets: GrowingArray;
  readonly #idHeap: GrowingArray;
  readonly #attributeOffsets: GrowingArray;
  readonly #attributeHeap: GrowingArray;
  readonly #stride: number;
  readonly #logged = new Setsum();
  readonly #pruned = new Setsum();
  #laterDeletes: Map<number, number> | null = null;
  #rows = 0;

  constructor(
    private readonly arena: Arena,
    readonly tag: number,
    private readonly dimensions: number,
    private readonly metric: Metric,
  ) {
    this.#stride = rowStride(dimensions);
    const array = (bytes: number): GrowingArray => new GrowingArray(arena, bytes, 'the memtable');
    this.#raw = array(INITIAL_ROWS * this.#stride * 4);
    this.#factors = array(INITIAL_ROWS * 4);
    this.#sequences = array(INITIAL_ROWS * 8);
    this.#idOffsets = array(INITIAL_ROWS * 4);
    this.#idHeap = array(INITIAL_ROWS * 16);
    this.#attributeOffsets = array(INITIAL_ROWS * 4);
    this.#attributeHeap = array(INITIAL_ROWS * 16);
    this.mask = new RowMask(arena, INITIAL_ROWS);
  }

  /** Rows including deleted ones. */
  get rows(): number {
    return this.#rows;
  }

  /** Rows that are visible. */
  get live(): number {
    return this.#rows - this.mask.count;
  }

  /** Bytes of vectors, ids and attributes. */
  get bytes(): number {
    return this.#raw.bytes + this.#idHeap.bytes + this.#attributeHeap.bytes;
  }

  /** Row of a visible record, or -1. */
  find(id: string): number {
    return this.#rowOf.get(id) ?? -1;
  }

  /**
   * Room for more puts, so that `put` cannot fail half-way. Throws `MEMORY_EXHAUSTED` and changes nothing.
   */
  reserve(more: Room): void {
    // Deletions need no room, also when there is none.
    if (more.rows === 0) return;
    this.#raw.reserve(more.rows * this.#stride * 4);
    this.#factors.reserve(more.rows * 4);
    this.#sequences.reserve(more.rows * 8);
    for (const offsets of [this.#idOffsets, this.#attributeOffsets]) {
      // One more than rows: each row ends where the next one begins.
      offsets.reserve((more.rows + 1) * 4);
      if (offsets.bytes === 0) this.#putOffset(offsets, 0);
    }
    this.#idHeap.reserve(more.idBytes);
    this.#attributeHeap.reserve(more.attributeBytes);
    this.mask.reserve(this.#rows + more.rows);
  }

  /** Appends put number `index` of the columns; the record's older row here, if any, is marked deleted. */
  put(columns: PutColumns, index: number, sequence: number): void {
    const id = columns.ids[index] ?? '';
    const vector = columns.vectors.subarray(index * this.dimensions, (index + 1) * this.dimensions);
    const raw = this.#raw.append(this.#stride * 4) / 4;
    this.arena.f32.set(vector, raw);
    this.arena.f32.fill(0, raw + this.dimensions, raw + this.#stride);
    this.arena.f32[this.#factors.append(4) / 4] = factorOfNorm(this.metric, squaredNorm(vector));
    this.arena.f64[this.#sequences.append(8) / 8] = sequence;
    this.#logged.add(this.#appendId(id), sequence);
    this.#appendAttributes(columns.attributes[index] ?? new Uint8Array());
    this.remove(id, sequence);
    this.#rowOf.set(id, this.#rows);
    this.#rows++;
  }

  /** Marks the record's row deleted by the write `sequence`; false when the memtable has none. */
  remove(id: string, sequence: number): boolean {
    const row = this.#rowOf.get(id);
    if (row === undefined) return false;
    this.#rowOf.delete(id);
    if (this.#laterDeletes !== null) this.#laterDeletes.set(row, sequence);
    else this.#pruned.add(encodeText(id), this.arena.f64[this.#sequences.pointer / 8 + row] ?? 0);
    return this.mask.add(row);
  }

  /**
   * From now on deletions are remembered with their sequence number, for the segment that is being made of
   * these rows.
   */
  freeze(): void {
    this.#laterDeletes = new Map();
  }

  /** Every record that was put here, and those of them that were replaced or deleted before the freeze. */
  get books(): { readonly logged: Setsum; readonly pruned: Setsum } {
    return { logged: this.#logged, pruned: this.#pruned };
  }

  /** Rows deleted since the freeze, with the sequence number of the deletion. */
  get laterDeletes(): ReadonlyMap<number, number> {
    return this.#laterDeletes ?? new Map<number, number>();
  }

  idOf(row: number): string {
    const [from, to] = this.#span(this.#idOffsets, row);
    return decodeText(this.arena.u8, this.#idHeap.pointer + from, this.#idHeap.pointer + to);
  }

  /** A copy of the row's encoded attributes. */
  attributesOf(row: number): Uint8Array {
    const [from, to] = this.#span(this.#attributeOffsets, row);
    return this.arena.bytes(this.#attributeHeap.pointer + from, to - from).slice();
  }

  attributeBytesOf(row: number): number {
    const [from, to] = this.#span(this.#attributeOffsets, row);
    return to - from;
  }

  get vectorBytes(): number {
    return this.dimensions * 4;
  }

  /** A copy of the row's vector. */
  vectorOf(row: number): Float32Array {
    return this.arena.floats(this.#raw.pointer + row * this.#stride * 4, this.dimensions).slice();
  }

  /** What an engine needs to read the memtable as it is now. */
  part(): MemtablePart {
    return {
      kind: 'memtable',
      tag: this.tag,
      rows: this.#rows,
      raw: this.#raw.pointer,
      factors: this.#factors.pointer,
      deleted: this.mask.pointer,
      deletedRows: this.mask.count,
      idOffsets: this.#idOffsets.pointer,
      idHeap: this.#idHeap.pointer,
      attributeOffsets: this.#attributeOffsets.pointer,
      attributeHeap: this.#attributeHeap.pointer,
      sequences: this.#sequences.pointer,
    };
  }

  /** The regions that `part` names. */
  regions(): Region[] {
    const regions = [...this.#arrays().map((array) => array.region), this.mask.region];
    return regions.filter((region) => region !== null);
  }

  release(): void {
    for (const array of this.#arrays()) array.release();
    this.mask.release();
  }

  #arrays(): GrowingArray[] {
    return [
      this.#raw,
      this.#factors,
      this.#sequences,
      this.#idOffsets,
      this.#idHeap,
      this.#attributeOffsets,
      this.#attributeHeap,
    ];
  }

  #appendId(id: string): Uint8Array {
    // `encodeInto` refuses shared memory, so the bytes take a detour.
    const bytes = encodeText(id);
    this.arena.u8.set(bytes, this.#idHeap.append(bytes.length));
    this.#putOffset(this.#idOffsets, this.#idHeap.bytes);
    return bytes;
  }

  #appendAttributes(bytes: Uint8Array): void {
    this.arena.u8.set(bytes, this.#attributeHeap.append(bytes.length));
    this.#putOffset(this.#attributeOffsets, this.#attributeHeap.bytes);
  }

  #putOffset(offsets: GrowingArray, offset: number): void {
    this.arena.u32[offsets.append(4) / 4] = offset;
  }

  #span(offsets: GrowingArray, row: number): readonly [number, number] {
    const at = offsets.pointer / 4 + row;
    return [this.arena.u32[at] ?? 0, this.arena.u32[at + 1] ?? 0];
  }
}
