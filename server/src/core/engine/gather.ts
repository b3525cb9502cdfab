/*
 * The visible rows of several parts as one list: what a flush or a merge makes a segment of.
 */
import type { RowHeapView } from '../segment/row-heap.js';
import type { SegmentView } from '../segment/segment-view.js';
import { rowStride } from '../vector/metric.js';
import type { Kernels } from '../vector/kernels.js';
import { attributeBytesOf, idBytesOf, isMarked } from './memtable-rows.js';
import { openPart } from './open-parts.js';
import type { MemtablePart, Part } from './tasks.js';

/** Reads the columns of one part. */
interface Columns {
  readonly rows: number;
  /** Address of the row's f32 values. */
  readonly raw: number;
  readonly factors: number;
  idBytes(row: number): Uint8Array;
  attributeBytes(row: number): Uint8Array;
  sequence(row: number): number;
}

export class GatheredRows {
  /** Index of the part and row in it, by gathered row. */
  readonly #part: Uint32Array;
  readonly #row: Uint32Array;
  readonly #columns: readonly Columns[];
  readonly count: number;

  constructor(
    private readonly kernels: Kernels,
    parts: readonly Part[],
    private readonly dimensions: number,
  ) {
    this.#columns = parts.map((part) => columnsOf(kernels, part));
    const rows = this.#columns.reduce((sum, columns) => sum + columns.rows, 0);
    this.#part = new Uint32Array(rows);
    this.#row = new Uint32Array(rows);
    let count = 0;
    this.#columns.forEach((columns, index) => {
      const deleted = parts[index]?.deleted ?? 0;
      for (let row = 0; row < columns.rows; row++) {
        if (isMarked(kernels, deleted, row)) continue;
        this.#part[count] = index;
        this.#row[count] = row;
        count++;
      }
    });
    this.count = count;
  }

  /** How many visible rows each part has; those of one part follow one another, ascending. */
  counts(): Uint32Array {
    const counts = new Uint32Array(this.#columns.length);
    for (const part of this.#part.subarray(0, this.count)) counts[part] = (counts[part] ?? 0) + 1;
    return counts;
  }

  /** The row, in its part, of a gathered row. */
  rowOf(index: number): number {
    return this.#row[index] ?? 0;
  }

  idBytes(index: number): Uint8Array {
    return this.#columnsOf(index).idBytes(this.#row[index] ?? 0);
  }

  attributeBytes(index: number): Uint8Array {
    return this.#columnsOf(index).attributeBytes(this.#row[index] ?? 0);
  }

  sequence(index: number): number {
    return this.#columnsOf(index).sequence(this.#row[index] ?? 0);
  }

  /** Copies vectors and factors to these addresses, in the order given (none: as gathered). */
  copyVectors(raw: number, factors: number, order: Uint32Array | null): void {
    const stride = rowStride(this.dimensions);
    const { f32 } = this.kernels;
    for (let to = 0; to < this.count; to++) {
      const index = order === null ? to : (order[to] ?? 0);
      const columns = this.#columnsOf(index);
      const row = this.#row[index] ?? 0;
      const from = columns.raw / 4 + row * stride;
      f32.copyWithin(raw / 4 + to * stride, from, from + stride);
      f32[factors / 4 + to] = f32[columns.factors / 4 + row] ?? 0;
    }
  }

  #columnsOf(index: number): Columns {
    const columns = this.#columns[this.#part[index] ?? 0];
    if (columns === undefined) throw new Error('a gathered row has no part');
    return columns;
  }
}

function columnsOf(kernels: Kernels, part: Part): Columns {
  if (part.kind === 'memtable') return memtableColumns(kernels, part);
  const { view, flat } = openPart(kernels, part);
  return segmentColumns(view, flat.raw, flat.factors);
}

function memtableColumns(kernels: Kernels, part: MemtablePart): Columns {
  const sequences = new Float64Array(kernels.f32.buffer, part.sequences, part.rows);
  return {
    rows: part.rows,
    raw: part.raw,
    factors: part.factors,
    idBytes: (row) => idBytesOf(kernels, part, row),
    attributeBytes: (row) => attributeBytesOf(kernels, part, row),
    sequence: (row) => sequences[row] ?? 0,
  };
}

function segmentColumns(view: SegmentView, raw: number, factors: number): Columns {
  const ids: RowHeapView = view.ids;
  const attributes = view.attributes;
  return {
    rows: view.rows,
    raw,
    factors,
    idBytes: (row) => ids.bytesOf(row),
    attributeBytes: (row) => attributes.bytesOf(row),
    sequence: (row) => view.sequenceOf(row),
  };
}
