/*
 * Balanced k-means on a sample of the rows, with coded centroids in groups: one pass costs about 2 ns per row
 * and centroid looked at, of which there are a few times √K.
 *
 * Lloyd's iterations; a cluster that is larger than the mean gets a small penalty on its distance in the next
 * iteration, which evens out the postings. An empty cluster takes over half of a large one. The number of
 * iterations is fixed, so it ends on any data; duplicates may leave clusters empty, which the caller drops.
 */
import type { Kernels } from '../vector/kernels.js';
import type { Scratch } from '../vector/scratch.js';
import { scratchBytes } from '../vector/scratch.js';
import { collectorCapacity } from '../vector/collector.js';
import type { CentroidTree } from './centroid-tree.js';
import { growTree, nearBytes, PROBES, treeBytes } from './centroid-tree.js';
import { BLOCK_ENTRIES, blockBytes } from './layout.js';
import type { Quantizer, RowArray } from './quantizer.js';
import type { Random } from './random.js';

/** Share of the mean squared error that a cluster of twice the mean size is pushed away by. */
const BALANCE = 0.05;
/** Relative difference of the two halves of a split cluster. */
const SPLIT = 1 / 1024;
/** Rows that an error is measured on. */
const ERROR_ROWS = 1024;

export interface Centroids {
  readonly clusters: number;
  /** Address of f32 rows, `stride` floats apart. */
  readonly rows: number;
}

export interface TrainingOptions {
  readonly iterations: number;
  readonly random: Random;
}

/** Scratch for `train`; the centroids themselves are the caller's. */
export function trainScratchBytes(stride: number, clusters: number, sample: number): number {
  const rounded = sample * (stride + 8);
  const rows = scratchBytes(sample * 4, sample * 4, rounded, nearBytes(1));
  return rows + scratchBytes(clusters * stride * 4, clusters * 4) + treeBytes(stride, clusters);
}

/** Fills `centroids.rows` from the sampled rows, which must be at least as many as the clusters. */
export function train(
  kernels: Kernels,
  scratch: Scratch,
  rows: RowArray,
  sample: Uint32Array,
  quantizer: Quantizer,
  centroids: Centroids,
  options: TrainingOptions,
): void {
  const mark = scratch.mark();
  const { clusters } = centroids;
  const groups = rows.stride / 4;
  const list = scratch.take(sample.length * 4);
  const assigned = scratch.take(sample.length * 4);
  const rounded = scratch.take(sample.length * (rows.stride + 8));
  const near = scratch.take(nearBytes(1));
  const sums = scratch.take(clusters * rows.stride * 4);
  const counts = scratch.take(clusters * 4);
  const shuffled = shuffle(sample, options.random);
  kernels.u32.set(shuffled, list / 4);
  const { centres, steps } = quantizer;
  kernels.call.quantizeRows(list, sample.length, rows.raw, rows.factors, centres, steps, groups, rounded);
  pickRows(kernels, rows, shuffled, centroids);
  let penalty: Penalty | null = null;
  const inner = scratch.mark();
  for (let iteration = 0; iteration < options.iterations; iteration++) {
    // Half of the sample is enough while the centroids are still far from their places.
    const half = Math.max(clusters, sample.length >>> 1);
    const far = iteration * 2 < options.iterations;
    const used = far ? Math.min(sample.length, half) : sample.length;
    const probe = far ? PROBES.far : PROBES.near;
    const tree = growTree(kernels, scratch, quantizer, rows.stride, centroids, probe);
    if (penalty !== null) penalize(kernels, rows.stride, tree, penalty);
    kernels.call.assignRounded(rounded, used, tree.address, groups, collectorCapacity(1), near, assigned);
    scratch.release(inner);
    kernels.f32.fill(0, sums / 4, sums / 4 + clusters * rows.stride);
    kernels.u32.fill(0, counts / 4, counts / 4 + clusters);
    kernels.call.addToSums(list, assigned, used, rows.raw, rows.factors, groups, sums, counts);
    const sizes = kernels.u32.slice(counts / 4, counts / 4 + clusters);
    const of = kernels.u32.subarray(assigned / 4, assigned / 4 + used);
    const error = meanError(kernels, rows, shuffled.subarray(0, used), of, centroids.rows);
    setMeans(kernels, sums, sizes, centroids, rows.stride);
    splitLargest(kernels, sizes, centroids, rows.stride);
    penalty = { sizes, error };
  }
  scratch.release(mark);
}

function shuffle(sample: Uint32Array, random: Random): Uint32Array {
  const order = sample.slice();
  for (let index = order.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    const row = order[other] ?? 0;
    order[other] = order[index] ?? 0;
    order[index] = row;
  }
  return order;
}

/** The first rows of the shuffled sample are the first centroids. */
function pickRows(kernels: Kernels, rows: RowArray, shuffled: Uint32Array, centroids: Centroids): void {
  for (let c = 0; c < centroids.clusters; c++) {
    const row = shuffled[c] ?? 0;
    const weight = rows.factors === 0 ? 1 : (kernels.f32[rows.factors / 4 + row] ?? 0);
    const from = rows.raw / 4 + row * rows.stride;
    const to = centroids.rows / 4 + c * rows.stride;
    for (let d = 0; d < rows.stride; d++) kernels.f32[to + d] = (kernels.f32[from + d] ?? 0) * weight;
  }
}

function setMeans(
  kernels: Kernels,
  sums: number,
  sizes: Uint32Array,
  centroids: Centroids,
  stride: number,
): void {
  for (let c = 0; c < centroids.clusters; c++) {
    const size = sizes[c] ?? 0;
    if (size === 0) continue;
    const from = sums / 4 + c * stride;
    const to = centroids.rows / 4 + c * stride;
    for (let d = 0; d < stride; d++) kernels.f32[to + d] = (kernels.f32[from + d] ?? 0) / size;
  }
}

/** Every empty cluster becomes a slightly moved copy of the largest cluster, which moves the other way. */
function splitLargest(kernels: Kernels, sizes: Uint32Array, centroids: Centroids, stride: number): void {
  const left = sizes.slice();
  for (let c = 0; c < left.length; c++) {
    if (left[c] !== 0) continue;
    const largest = left.reduce((best, size, index) => (size > (left[best] ?? 0) ? index : best), 0);
    const half = (left[largest] ?? 0) >>> 1;
    if (half === 0) return;
    left[c] = half;
    left[largest] = (left[largest] ?? 0) - half;
    const from = centroids.rows / 4 + largest * stride;
    const to = centroids.rows / 4 + c * stride;
    for (let d = 0; d < stride; d++) {
      const value = kernels.f32[from + d] ?? 0;
      const move = (d & 1) === 0 ? SPLIT : -SPLIT;
      kernels.f32[to + d] = value * (1 + move);
      kernels.f32[from + d] = value * (1 - move);
    }
  }
}

interface Penalty {
  readonly sizes: Uint32Array;
  /** Mean squared error. */
  readonly error: number;
}

/** Raises the half norm of clusters above the mean size, so that rows see them farther away. */
function penalize(kernels: Kernels, stride: number, tree: CentroidTree, { sizes, error }: Penalty): void {
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  const bytes = blockBytes(stride / 4, 2);
  sizes.forEach((size, c) => {
    const excess = Math.max(0, size / mean - 1);
    const slot = tree.slots[c] ?? 0;
    const at = (tree.blocks + Math.floor(slot / BLOCK_ENTRIES) * bytes) / 4 + 2 * BLOCK_ENTRIES;
    const half = at + (slot % BLOCK_ENTRIES);
    kernels.f32[half] = (kernels.f32[half] ?? 0) + (BALANCE * error * excess) / 2;
  });
}

/** Mean squared distance of some of the rows to their centroids; `clusters[i]` is that of `sample[i]`. */
export function meanError(
  kernels: Kernels,
  rows: RowArray,
  sample: Uint32Array,
  clusters: Uint32Array,
  centroids: number,
): number {
  const step = Math.max(1, Math.floor(sample.length / ERROR_ROWS));
  let sum = 0;
  let count = 0;
  for (let index = 0; index < sample.length; index += step, count++) {
    const row = sample[index] ?? 0;
    const weight = rows.factors === 0 ? 1 : (kernels.f32[rows.factors / 4 + row] ?? 0);
    const from = rows.raw / 4 + row * rows.stride;
    const to = centroids / 4 + (clusters[index] ?? 0) * rows.stride;
    for (let d = 0; d < rows.stride; d++) {
      const difference = (kernels.f32[from + d] ?? 0) * weight - (kernels.f32[to + d] ?? 0);
      sum += difference * difference;
    }
  }
  return sum / Math.max(1, count);
}
