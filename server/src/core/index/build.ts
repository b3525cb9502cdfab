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
import { rowStride } from '../vector/metric.js';
import type { Scratch } from '../vector/scratch.js';
import { scratchBytes } from '../vector/scratch.js';
import { collectorBytes, collectorCapacity } from '../vector/collector.js';
import type { CalibrationReport } from './calibrate.js';
import { calibrate, calibrateScratchBytes, queryCount } from './calibrate.js';
import type { Centroids } from './kmeans.js';
import { centroidBlockBytes, train, trainScratchBytes } from './kmeans.js';
import type { IvfPointers, IvfView } from './layout.js';
import {
  BLOCK_ENTRIES,
  CALIBRATED_K,
  CALIBRATED_TARGETS,
  centroidLayout,
  openIvf,
  writeHeader,
} from './layout.js';
import type { Assigned, IvfInput, IvfPlan } from './plan.js';
import { orderRows } from './plan.js';
import type { Quantizer, RowArray } from './quantizer.js';
import { fitQuantizer } from './quantizer.js';
import type { Random } from './random.js';
import { sampleNumbers, seededRandom } from './random.js';
import { writeCentroidCodes, writePostings } from './write-postings.js';

/** Rows per cluster that are aimed at; a posting has about twice as many entries. */
const ROWS_PER_CLUSTER = 128;
/** Rows per cluster that the clustering looks at. */
const SAMPLE_PER_CLUSTER = 48;
const ITERATIONS = 8;
const QUANTIZER_SAMPLE = 16_384;
/** Weight of the orthogonality of the second posting. */
const SOAR_LAMBDA = 1;
/** Nearest centroids among which the two postings of a row are chosen. */
const SOAR_CANDIDATES = 12;

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
  const queries = sampleNumbers(random, queryCount(input.rows), input.rows);
  const sample = trainingSample(random, input.rows, clusters, queries);
  train(kernels, scratch, rows, sample, quantizer, centroids, { iterations: ITERATIONS, random });
  const assigned = assignAll(kernels, scratch, input.rows, rows, quantizer, centroids);
  const plan = orderRows(input, assigned, queries, {
    centroids: kernels.f32.slice(centroids.rows / 4, centroids.rows / 4 + clusters * stride),
    quantizer: kernels.f32.slice(arrays / 4, arrays / 4 + stride * 3),
  });
  scratch.release(mark);
  return plan;
}

/**
 * Writes the sections and measures how many postings a query has to read. `raw` and `factors` hold the rows
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
  kernels.f32.fill(0, pointers.centroids / 4, (pointers.centroids + plan.sizes.centroids) / 4);
  writeHeader(kernels, pointers.centroids, plan, {
    rerank: 4,
    nprobe: new Uint32Array(CALIBRATED_K.length * CALIBRATED_TARGETS.length).fill(plan.clusters),
  });
  kernels.f32.set(plan.quantizer.subarray(0, stride), (pointers.centroids + layout.centres) / 4);
  kernels.f32.set(plan.quantizer.subarray(stride, stride * 2), (pointers.centroids + layout.steps) / 4);
  kernels.f32.set(plan.centroids, pointers.centroidRows / 4);
  const inverses = scratch.take(stride * 4);
  kernels.f32.set(plan.quantizer.subarray(stride * 2), inverses / 4);
  const quantizer = {
    centres: pointers.centroids + layout.centres,
    steps: pointers.centroids + layout.steps,
    inverses,
  };
  writeCentroidCodes(kernels, scratch, plan, pointers, quantizer);
  writePostings(kernels, scratch, plan, pointers, quantizer);
  scratch.release(mark);
  const report = calibrate(kernels, scratch, openIvf(kernels, pointers, plan.sizes), plan);
  writeHeader(kernels, pointers.centroids, plan, report.calibration);
  return { view: openIvf(kernels, pointers, plan.sizes), report };
}

/** Clusters for a segment of so many rows: at least one. */
export function clusterCount(rows: number): number {
  return Math.max(1, Math.round(rows / ROWS_PER_CLUSTER));
}

function sampleSize(rows: number, clusters: number): number {
  return Math.min(rows, Math.max(1024, clusters * SAMPLE_PER_CLUSTER));
}

/**
 * Rows to learn from, without those that will serve as queries: a query is a vector that the index has never
 * seen.
 */
function trainingSample(random: Random, rows: number, clusters: number, queries: Uint32Array): Uint32Array {
  const sample = sampleNumbers(random, sampleSize(rows, clusters), rows);
  const reserved = new Set(queries);
  const left = sample.filter((row) => !reserved.has(row));
  return left.length >= clusters ? left : sample;
}

function quantizerAt(pointer: number, stride: number): Quantizer {
  return { centres: pointer, steps: pointer + stride * 4, inverses: pointer + stride * 8 };
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
