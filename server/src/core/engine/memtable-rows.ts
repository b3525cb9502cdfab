/*
 * A memtable as an engine sees it: ids and attributes of rows, read from the arena. Rows never change, so
 * what was decoded once for a filter is kept until the tag is forgotten; a flush bounds how much that is.
 */
import type { FlatView } from '../index/flat.js';
import { decodeAttributes } from '../record/attribute-codec.js';
import type { Attributes } from '../record/record.js';
import { decodeText } from '../record/text.js';
import type { Kernels } from '../vector/kernels.js';
import type { Metric } from '../vector/metric.js';
import type { MemtablePart } from './tasks.js';

export class MemtableRows {
  readonly #attributes: Attributes[] = [];
  readonly #ids: string[] = [];

  constructor(private readonly kernels: Kernels) {}

  id(part: MemtablePart, row: number): string {
    return (this.#ids[row] ??= decodeText(this.kernels.u8, ...this.#idSpan(part, row)));
  }

  idBytes(part: MemtablePart, row: number): Uint8Array {
    return this.kernels.u8.subarray(...this.#idSpan(part, row));
  }

  attributes(part: MemtablePart, row: number): Attributes {
    return (this.#attributes[row] ??= decodeAttributes(this.attributeBytes(part, row)));
  }

  attributeBytes(part: MemtablePart, row: number): Uint8Array {
    const at = part.attributeOffsets / 4 + row;
    const { u32, u8 } = this.kernels;
    return u8.subarray(part.attributeHeap + (u32[at] ?? 0), part.attributeHeap + (u32[at + 1] ?? 0));
  }

  #idSpan(part: MemtablePart, row: number): [number, number] {
    const at = part.idOffsets / 4 + row;
    return [part.idHeap + (this.kernels.u32[at] ?? 0), part.idHeap + (this.kernels.u32[at + 1] ?? 0)];
  }
}

/** The vectors of a memtable, for the exact scans. */
export function flatViewOf(part: MemtablePart, dimensions: number, metric: Metric): FlatView {
  return { metric, dimensions, rows: part.rows, raw: part.raw, factors: part.factors };
}

/** Whether bit `row` of the bitmap at `pointer` is set; a pointer of 0 is an empty bitmap. */
export function isMarked(kernels: Kernels, pointer: number, row: number): boolean {
  return pointer !== 0 && ((kernels.u32[pointer / 4 + (row >>> 5)] ?? 0) & (1 << (row & 31))) !== 0;
}
