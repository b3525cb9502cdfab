/*
 * A memtable as an engine sees it: ids and encoded attributes of rows, where they lie in the arena.
 */
import type { FlatView } from '../index/flat.js';
import type { Kernels } from '../vector/kernels.js';
import type { Metric } from '../vector/metric.js';
import type { MemtablePart } from './tasks.js';

/** Where the id and the encoded attributes of a row lie in the arena. */
export interface RowSpans {
  readonly idFrom: number;
  readonly idTo: number;
  readonly attributesFrom: number;
  readonly attributesTo: number;
}

/** Where a row's id and attributes lie in the arena. */
export function spansOf({ u32 }: Kernels, part: MemtablePart, row: number): RowSpans {
  const id = part.idOffsets / 4 + row;
  const attributes = part.attributeOffsets / 4 + row;
  return {
    idFrom: part.idHeap + (u32[id] ?? 0),
    idTo: part.idHeap + (u32[id + 1] ?? 0),
    attributesFrom: part.attributeHeap + (u32[attributes] ?? 0),
    attributesTo: part.attributeHeap + (u32[attributes + 1] ?? 0),
  };
}

/** A view of the row's id in UTF-8; valid while the memtable's regions are retained. */
export function idBytesOf(kernels: Kernels, part: MemtablePart, row: number): Uint8Array {
  const { idFrom, idTo } = spansOf(kernels, part, row);
  return kernels.u8.subarray(idFrom, idTo);
}

/** A view of the row's encoded attributes, empty when it has none. */
export function attributeBytesOf(kernels: Kernels, part: MemtablePart, row: number): Uint8Array {
  const { attributesFrom, attributesTo } = spansOf(kernels, part, row);
  return kernels.u8.subarray(attributesFrom, attributesTo);
}

/** The vectors of a memtable, for the exact scans. */
export function flatViewOf(part: MemtablePart, dimensions: number, metric: Metric): FlatView {
  return { metric, dimensions, rows: part.rows, raw: part.raw, factors: part.factors };
}

/** Whether bit `row` of the bitmap at `pointer` is set; a pointer of 0 is an empty bitmap. */
export function isMarked(kernels: Kernels, pointer: number, row: number): boolean {
  return pointer !== 0 && ((kernels.u32[pointer / 4 + (row >>> 5)] ?? 0) & (1 << (row & 31))) !== 0;
}
