/*
 * Where the ids and attributes of a cluster's rows lie, so that they can be read by ranges when only the
 * skeleton of a segment is in memory: without it, every row would cost a read of its offsets first.
 *
 * Two u32 for every cluster and for the end: offsets of its first row in the sections `ids` and `attributes`,
 * counted from the begin of the section.
 */
import type { RowHeapView } from './row-heap.js';

/** Bytes of the section. */
export function marksBytes(clusters: number): number {
  return (clusters + 1) * 8;
}

/** @param firstRows First row of every cluster, and the number of rows. */
export function writeMarks(section: Uint8Array, firstRows: Uint32Array, heaps: readonly RowHeapView[]): void {
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  firstRows.forEach((row, cluster) => {
    heaps.forEach((heap, index) => view.setUint32((cluster * 2 + index) * 4, heap.from(row), true));
  });
}

/** The heap's bytes that hold rows of cluster `cluster`: from where to where in its section. */
export function markedRange(
  section: Uint8Array,
  heap: 'ids' | 'attributes',
  cluster: number,
): { readonly from: number; readonly to: number } {
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  const at = (cluster * 2 + (heap === 'ids' ? 0 : 1)) * 4;
  return { from: view.getUint32(at, true), to: view.getUint32(at + 8, true) };
}

/** First row of every cluster and the number of rows, as the section `postingTable` has them. */
export function firstRowsOf(postingTable: Uint8Array): Uint32Array {
  const half = postingTable.byteLength / 2;
  return new Uint32Array(postingTable.buffer, postingTable.byteOffset + half, half / 4);
}
