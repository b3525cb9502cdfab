/*
 * Building the index of a clustered segment, in two steps, because the segment's rows are numbered by the
 * index: `planIvf` clusters the rows where they are and says their new order; the caller copies them in that
 * order; `writeIvf` writes codes and calibration.
 *
 * Every row stands in the posting of its nearest centroid and in a second one chosen by SOAR: the centroid
 * whose error is most orthogonal to the first's, so that a query that misses one posting tends to hit the
 * other. Rows are numbered in the order of their first posting. The same rows and seed give the same bytes on
 * every machine and with both kernel binaries.
 */
import type { Kernels } from '../vector/kernels.js';
import type { Metric } from '../vector/metric.js';
import { rowStride } from '../vector/metric.js';
import type { Scratch } from '../vector/scratch.js';
import { scratchBytes } from '../vector/scratch.js';
import { collectorBytes, collectorCapacity } from '../vector/collector.js';
import type { CalibrationReport } from './calibrate.js';
import { calibrate, calibrateScratchBytes } from './calibrate.js';
import type { Centroids } from './kmeans.js';
import { centroidBlockBytes, encodeCentroids, train, trainScratchBytes } from './kmeans.js';
import type { IvfPointers, IvfShape, IvfView } from './layout.js';
import {
  BLOCK_ENTRIES,
  CALIBRATED_K,
  CALIBRATED_TARGETS,
  blockBytes,
  centroidLayout,
  openIvf,
  postingLayout,
  termsOfMetric,
  writeHeader,
} from './layout.js';
import type { Quantizer, RowArray } from './quantizer.js';
import { fitQuantizer } from './quantizer.js';
import { sampleNumbers, seededRandom } from './random.js';

/** Rows per cluster that are aimed at; a posting has about twice as many entries. */
const ROWS_PER_CLUSTER = 128;
/** Rows per cluster that the clustering looks at. */
const SAMPLE_PER_CLUSTER = 32;
const ITERATIONS = 8;
const QUANTIZER_SAMPLE = 16_384;
/** Weight of the orthogonality of the second posting. */
const SOAR_LAMBDA = 1;
/** Nearest centroids among which the two postings of a row are chosen. */
const SOAR_CANDIDATES = 24;
const NO_CLUSTER = 0xffffffff;

export interface IvfInput {
  readonly metric: Metric;
  readonly dimensions: number;
  /** At least 1. */
  readonly rows: number;
  /** f32 rows, `rowStride(dimensions)` floats apart, on a multiple of 16. */
  readonly raw: number;
  /** f32 per row, see `factorOfNorm`. */
  readonly factors: number;
  readonly seed: number;
  /** Postings, instead of one per 128 rows. */
  readonly clusters?: number;
}

/** Where every row goes. Lives outside of scratch: the caller may use scratch between the two steps. */
export interface IvfPlan extends IvfShape {
  readonly seed: number;
  /** `order[row]`: the input's number of the row that gets number `row`. */
  readonly order: Uint32Array;
  /** Bytes to provide for the two sections. */
  readonly centroidBytes: number;
  readonly postingBytes: number;
  /** By new row number; the second is 0xffffffff for rows with one posting. */
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  readonly centroids: Float32Array;
  /** Centres, steps and reciprocal steps. */
  readonly quantizer: Float32Array;
}

/** Scratch for `planIvf` and `writeIvf`. */
export function buildScratchBytes(input: Pick<IvfInput, 'dimensions' | 'rows' | 'clusters'>): number {
  const stride = rowStride(input.dimensions);
  const clusters = input.clusters ?? clusterCount(input.rows);
  const plan =
    scratchBytes(stride * 4, stride * 4, stride * 4) +
    scratchBytes(clusters * stride * 4, centroidBlockBytes(stride, clusters)) +
    Math.max(
      trainScratchBytes(stride, clusters, sampleSize(input.rows, clusters)),
      assignBytes(input.rows, stride),
    );
  const write = scratchBytes(stride * 4, input.rows * 8 + 64);
  return Math.max(plan, write, calibrateScratchBytes(input.dimensions, input.rows, clusters)) + 4096;
}

/** Clusters the rows. The input is only read. */
export function planIvf(kernels: Kernels, scratch: Scratch, input: IvfInput): IvfPlan {
  const mark = scratch.mark();
  const random = seededRandom(input.seed);
  const stride = rowStride(input.dimensions);
  const clusters = Math.min(input.rows, input.clusters ?? clusterCount(input.rows));
  const rows: RowArray = { raw: input.raw, factors: input.metric === 'cosine' ? input.factors : 0, stride };
  const arrays = scratch.take(stride * 12);
  const quantizer = quantizerAt(arrays, stride);
  const fitted = sampleNumbers(random, QUANTIZER_SAMPLE, input.rows);
  fitQuantizer(kernels, input.metric, input.dimensions, rows, fitted, quantizer);
  const centroids: Centroids = {
    clusters,
    rows: scratch.take(clusters * stride * 4),
    blocks: scratch.take(centroidBlockBytes(stride, clusters)),
  };
  const sample = sampleNumbers(random, sampleSize(input.rows, clusters), input.rows);
  train(kernels, scratch, rows, sample, quantizer, centroids, { iterations: ITERATIONS, random });
  const assigned = assignAll(kernels, scratch, input.rows, rows, quantizer, centroids);
  const plan = orderRows(input, assigned, {
    centroids: kernels.f32.slice(centroids.rows / 4, centroids.rows / 4 + clusters * stride),
    quantizer: kernels.f32.slice(arrays / 4, arrays / 4 + stride * 3),
  });
  scratch.release(mark);
  return plan;
}

/**
 * Writes both sections and measures how many postings a query has to read. `raw` and `factors` hold the rows
 * in the plan's order.
 */
export function writeIvf(
  kernels: Kernels,
  scratch: Scratch,
  plan: IvfPlan,
  pointers: IvfPointers,
): { readonly view: IvfView; readonly report: CalibrationReport } {
  const mark = scratch.mark();
  const layout = centroidLayout(plan.dimensions, plan.clusters);
  const stride = rowStride(plan.dimensions);
  kernels.f32.fill(0, pointers.centroids / 4, (pointers.centroids + plan.centroidBytes) / 4);
  writeHeader(kernels, pointers.centroids, plan, {
    rerank: 4,
    nprobe: new Uint32Array(CALIBRATED_K.length * CALIBRATED_TARGETS.length).fill(plan.clusters),
  });
  kernels.f32.set(plan.quantizer.subarray(0, stride), (pointers.centroids + layout.centres) / 4);
  kernels.f32.set(plan.quantizer.subarray(stride, stride * 2), (pointers.centroids + layout.steps) / 4);
  kernels.f32.set(plan.centroids, (pointers.centroids + layout.rows) / 4);
  const inverses = scratch.take(stride * 4);
  kernels.f32.set(plan.quantizer.subarray(stride * 2), inverses / 4);
  const quantizer = {
    centres: pointers.centroids + layout.centres,
    steps: pointers.centroids + layout.steps,
    inverses,
  };
  writeCentroidCodes(kernels, scratch, plan, pointers.centroids, quantizer);
  writePostings(kernels, scratch, plan, pointers, quantizer);
  scratch.release(mark);
  const sizes = { centroids: plan.centroidBytes, postings: plan.postingBytes };
  const report = calibrate(kernels, scratch, openIvf(kernels, pointers, sizes), plan);
  writeHeader(kernels, pointers.centroids, plan, report.calibration);
  return { view: openIvf(kernels, pointers, sizes), report };
}

/** Clusters for a segment of so many rows: at least one. */
export function clusterCount(rows: number): number {
  return Math.max(1, Math.round(rows / ROWS_PER_CLUSTER));
}

function sampleSize(rows: number, clusters: number): number {
  return Math.min(rows, Math.max(1024, clusters * SAMPLE_PER_CLUSTER));
}

function quantizerAt(pointer: number, stride: number): Quantizer {
  return { centres: pointer, steps: pointer + stride * 4, inverses: pointer + stride * 8 };
}

interface Assigned {
  readonly first: Uint32Array;
  readonly second: Uint32Array;
}

function soarBytes(stride: number): number {
  return stride * 4 + stride + 32 + SOAR_CANDIDATES * 4 + 16 + collectorBytes(SOAR_CANDIDATES);
}

function assignBytes(rows: number, stride: number): number {
  return scratchBytes(rows * 4, rows * 4, soarBytes(stride));
}

function assignAll(
  kernels: Kernels,
  scratch: Scratch,
  count: number,
  rows: RowArray,
  quantizer: Quantizer,
  centroids: Centroids,
): Assigned {
  const mark = scratch.mark();
  const first = scratch.take(count * 4);
  const second = scratch.take(count * 4);
  const work = scratch.take(soarBytes(rows.stride));
  kernels.call.assignTwo(
    0,
    count,
    rows.raw,
    rows.factors,
    centroids.rows,
    centroids.blocks,
    Math.ceil(centroids.clusters / BLOCK_ENTRIES),
    quantizer.centres,
    quantizer.steps,
    rows.stride / 4,
    SOAR_LAMBDA,
    SOAR_CANDIDATES,
    collectorCapacity(SOAR_CANDIDATES),
    work,
    first,
    second,
  );
  const assigned = {
    first: kernels.u32.slice(first / 4, first / 4 + count),
    second: kernels.u32.slice(second / 4, second / 4 + count),
  };
  scratch.release(mark);
  return assigned;
}

/** Drops empty clusters, numbers the rows by their first posting and adds up the blocks. */
function orderRows(
  input: IvfInput,
  assigned: Assigned,
  trained: { readonly centroids: Float32Array; readonly quantizer: Float32Array },
): IvfPlan {
  const stride = rowStride(input.dimensions);
  const before = trained.centroids.length / stride;
  const firsts = new Uint32Array(before);
  const all = new Uint32Array(before);
  for (const cluster of assigned.first) firsts[cluster] = (firsts[cluster] ?? 0) + 1;
  for (const cluster of assigned.second) {
    if (cluster !== NO_CLUSTER) all[cluster] = (all[cluster] ?? 0) + 1;
  }
  for (let c = 0; c < before; c++) all[c] = (all[c] ?? 0) + (firsts[c] ?? 0);
  const renumbered = new Uint32Array(before).fill(NO_CLUSTER);
  const starts = new Uint32Array(before);
  let clusters = 0;
  let blocks = 0;
  let entries = 0;
  let next = 0;
  const centroids = new Float32Array(trained.centroids.length);
  for (let c = 0; c < before; c++) {
    const size = all[c] ?? 0;
    if (size === 0) continue;
    centroids.set(trained.centroids.subarray(c * stride, (c + 1) * stride), clusters * stride);
    renumbered[c] = clusters++;
    blocks += Math.ceil(size / BLOCK_ENTRIES);
    entries += size;
    starts[c] = next;
    next += firsts[c] ?? 0;
  }
  const order = new Uint32Array(input.rows);
  const first = new Uint32Array(input.rows);
  const second = new Uint32Array(input.rows).fill(NO_CLUSTER);
  for (let row = 0; row < input.rows; row++) {
    const cluster = assigned.first[row] ?? 0;
    const number = starts[cluster] ?? 0;
    starts[cluster] = number + 1;
    order[number] = row;
    first[number] = renumbered[cluster] ?? 0;
    const other = assigned.second[row] ?? NO_CLUSTER;
    if (other !== NO_CLUSTER) second[number] = renumbered[other] ?? NO_CLUSTER;
  }
  const shape = {
    metric: input.metric,
    dimensions: input.dimensions,
    rows: input.rows,
    clusters,
    blocks,
    entries,
  };
  return {
    ...shape,
    seed: input.seed,
    order,
    first,
    second,
    centroids: centroids.slice(0, clusters * stride),
    quantizer: trained.quantizer,
    centroidBytes: centroidLayout(input.dimensions, clusters).bytes,
    postingBytes: postingLayout(shape).bytes,
  };
}

/** Under l2 a query ranks centroids by distance, else by inner product: then half norms are zero. */
function writeCentroidCodes(
  kernels: Kernels,
  scratch: Scratch,
  plan: IvfPlan,
  section: number,
  quantizer: Quantizer,
): void {
  const mark = scratch.mark();
  const layout = centroidLayout(plan.dimensions, plan.clusters);
  const stride = rowStride(plan.dimensions);
  const numbers = scratch.take(plan.clusters * 4);
  for (let c = 0; c < plan.clusters; c++) kernels.u32[numbers / 4 + c] = c;
  const centroids = {
    clusters: plan.clusters,
    rows: section + layout.rows,
    blocks: section + layout.blocks,
  };
  encodeCentroids(kernels, stride, quantizer, centroids, numbers);
  if (plan.metric !== 'l2') clearHalfNorms(kernels, centroids, stride);
  scratch.release(mark);
}

function clearHalfNorms(kernels: Kernels, centroids: Centroids, stride: number): void {
  const words = blockBytes(stride / 4, 2) / 4;
  for (let c = 0; c < centroids.clusters; c++) {
    const block = centroids.blocks / 4 + Math.floor(c / BLOCK_ENTRIES) * words;
    kernels.f32[block + 2 * BLOCK_ENTRIES + (c % BLOCK_ENTRIES)] = 0;
  }
}

function writePostings(
  kernels: Kernels,
  scratch: Scratch,
  plan: IvfPlan,
  pointers: IvfPointers,
  quantizer: Quantizer,
): void {
  const mark = scratch.mark();
  const groups = rowStride(plan.dimensions) / 4;
  const terms = termsOfMetric(plan.metric);
  const factors = plan.metric === 'cosine' ? pointers.factors : 0;
  const { starts, entries } = listEntries(plan);
  const list = scratch.take(entries.length * 4);
  kernels.u32.set(entries, list / 4);
  const table = pointers.postings / 4;
  const layout = postingLayout(plan);
  const blocks = pointers.postings + layout.blocks;
  kernels.u32.fill(0, table, blocks / 4);
  writeFirstRows(kernels, plan, (pointers.postings + layout.firstRows) / 4);
  let block = 0;
  for (let c = 0; c < plan.clusters; c++) {
    const from = starts[c] ?? 0;
    const count = (starts[c + 1] ?? 0) - from;
    kernels.u32[table + c] = block;
    kernels.call.encodeEntries(
      list + from * 4,
      count,
      pointers.raw,
      factors,
      quantizer.centres,
      quantizer.inverses,
      groups,
      terms,
      terms === 2 ? 1 : 0,
      blocks + block * blockBytes(groups, terms),
    );
    block += Math.ceil(count / BLOCK_ENTRIES);
  }
  kernels.u32[table + plan.clusters] = block;
  scratch.release(mark);
}

function writeFirstRows(kernels: Kernels, plan: IvfPlan, at: number): void {
  // Rows are numbered by cluster, so a cluster's first row is the number of rows in the clusters before it.
  for (const cluster of plan.first) kernels.u32[at + cluster + 1] = (kernels.u32[at + cluster + 1] ?? 0) + 1;
  for (let c = 0; c < plan.clusters; c++) {
    kernels.u32[at + c + 1] = (kernels.u32[at + c + 1] ?? 0) + (kernels.u32[at + c] ?? 0);
  }
}

/**
 * The rows of every posting: those it is the first posting of, then those it is the second of, both
 * ascending.
 */
function listEntries(plan: IvfPlan): { starts: Uint32Array; entries: Uint32Array } {
  const starts = new Uint32Array(plan.clusters + 1);
  const count = (clusters: Uint32Array): void => {
    for (const c of clusters) if (c !== NO_CLUSTER) starts[c + 1] = (starts[c + 1] ?? 0) + 1;
  };
  count(plan.first);
  count(plan.second);
  for (let c = 0; c < plan.clusters; c++) starts[c + 1] = (starts[c + 1] ?? 0) + (starts[c] ?? 0);
  const next = starts.slice();
  const entries = new Uint32Array(plan.entries);
  const place = (clusters: Uint32Array): void => {
    clusters.forEach((c, row) => {
      if (c === NO_CLUSTER) return;
      entries[next[c] ?? 0] = row;
      next[c] = (next[c] ?? 0) + 1;
    });
  };
  place(plan.first);
  place(plan.second);
  return { starts, entries };
}
