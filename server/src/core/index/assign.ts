/*
 * The two postings of rows: the nearest centroid's, and one chosen by SOAR, whose error is most orthogonal to
 * the first's, so that a query that misses one tends to hit the other.
 */
import { collectorCapacity } from '../vector/collector.js';
import type { Kernels } from '../vector/kernels.js';
import type { Scratch } from '../vector/scratch.js';
import { scratchBytes } from '../vector/scratch.js';
import { growTree, nearBytes, PROBES, treeBytes } from './centroid-tree.js';
import type { Centroids } from './kmeans.js';
import type { Assigned } from './plan.js';
import type { Quantizer, RowArray } from './quantizer.js';

/** Weight of the orthogonality of the second posting. */
const SOAR_LAMBDA = 1;
/** Nearest centroids among which the two postings of a row are chosen. */
const SOAR_CANDIDATES = 12;
/** Rows per call, so that working memory does not grow with the rows. */
const CHUNK = 16_384;

/** Scratch for `assignRows`. */
export function assignScratchBytes(stride: number, clusters: number): number {
  return scratchBytes(CHUNK * 4, CHUNK * 4, CHUNK * 4, workBytes(stride)) + treeBytes(stride, clusters);
}

function workBytes(stride: number): number {
  return stride * 4 + stride + 32 + nearBytes(SOAR_CANDIDATES);
}

/**
 * Assigns the listed rows anew. A row that has a cluster leaves it only for one that is clearly nearer (see
 * `assignNear`); `NO_CLUSTER` stands for none yet.
 */
export function assignRows(
  kernels: Kernels,
  scratch: Scratch,
  rows: RowArray,
  quantizer: Quantizer,
  centroids: Centroids,
  list: Uint32Array,
  assigned: Assigned,
): void {
  if (list.length === 0) return;
  const mark = scratch.mark();
  const { address } = growTree(kernels, scratch, quantizer, rows.stride, centroids, PROBES.final);
  const numbers = scratch.take(CHUNK * 4);
  const first = scratch.take(CHUNK * 4);
  const second = scratch.take(CHUNK * 4);
  const work = scratch.take(workBytes(rows.stride));
  for (let from = 0; from < list.length; from += CHUNK) {
    const chunk = list.subarray(from, from + CHUNK);
    kernels.u32.set(chunk, numbers / 4);
    kernels.u32.set(
      chunk.map((row) => assigned.first[row] ?? 0),
      first / 4,
    );
    kernels.call.assignNear(
      ...([numbers, chunk.length, rows.raw, rows.factors, address] as const),
      ...([quantizer.centres, quantizer.steps, rows.stride / 4, SOAR_LAMBDA] as const),
      ...([SOAR_CANDIDATES, collectorCapacity(SOAR_CANDIDATES), work, first, second] as const),
    );
    chunk.forEach((row, index) => {
      assigned.first[row] = kernels.u32[first / 4 + index] ?? 0;
      assigned.second[row] = kernels.u32[second / 4 + index] ?? 0;
    });
  }
  scratch.release(mark);
}
