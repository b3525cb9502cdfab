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
import type { CalibrationReport } from './calibrate.js';
import { calibrate, calibrateScratchBytes, queryCount } from './calibrate.js';
import { assignRows, assignScratchBytes } from './assign.js';
import type { Lists } from './bound-lists.js';
import { boundLists, clusterRoom } from './bound-lists.js';
import { meanError, train, trainScratchBytes } from './kmeans.js';
import type { ClusterHistory, IvfPointers, IvfView } from './layout.js';
import { CALIBRATED_K, CALIBRATED_TARGETS, centroidLayout, openIvf, writeHeader } from './layout.js';
import type { IvfInput, IvfPlan } from './plan.js';
import { NO_CLUSTER, orderRows } from './plan.js';
import { addOneBitScratchBytes } from './one-bit/build.js';
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
/** Clusters are kept while the mean squared error is at most so many times that of their training … */
const DRIFT_MAX = 1.15;
/** … and of so many merges, … */
const GENERATIONS_MAX = 32;
/** … and at most this share of them was cut or dissolved since, … */
const CHANGES_MAX = 0.5;
/** … and they are neither too few nor too many for the rows. */
const FEWER_MAX = 0.6;
const MORE_MAX = 1.6;

/** Scratch for `planIvf`, `writeIvf` and `addOneBit`. */
export function buildScratchBytes(
  input: Pick<IvfInput, 'dimensions' | 'rows' | 'clusters' | 'kept'>,
): number {
  const stride = rowStride(input.dimensions);
  const clusters = clustersOf(input);
  const room = clusterRoom(Math.max(clusters, input.kept?.clusters ?? 0), input.rows, usualOf(input));
  const plan =
    scratchBytes(stride * 12, room * stride * 4) +
    Math.max(
      trainScratchBytes(stride, clusters, sampleSize(input.rows, clusters)),
      assignScratchBytes(stride, room),
    );
  const write = scratchBytes(stride * 4, input.rows * 8 + 64);
  const calibrated = calibrateScratchBytes(input.dimensions, input.rows, room);
  return Math.max(plan, write, calibrated + addOneBitScratchBytes(input.dimensions)) + 4096;
}

/**
 * Says where every row goes: into the clusters that are kept, while these are good, or into new ones. The
 * input is only read.
 */
export function planIvf(kernels: Kernels, scratch: Scratch, input: IvfInput): IvfPlan {
  const mark = scratch.mark();
  const random = seededRandom(input.seed);
  const stride = rowStride(input.dimensions);
  const rows: RowArray = { raw: input.raw, factors: input.metric === 'cosine' ? input.factors : 0, stride };
  const arrays = scratch.take(stride * 12);
  const quantizer = quantizerAt(arrays, stride);
  const fitted = sampleNumbers(random, QUANTIZER_SAMPLE, input.rows);
  fitQuantizer(kernels, input.metric, input.dimensions, rows, fitted, quantizer);
  const room = clusterRoom(
    Math.max(clustersOf(input), input.kept?.clusters ?? 0),
    ...([input.rows, usualOf(input)] as const),
  );
  const work = { kernels, scratch, rows, quantizer, centroids: scratch.take(room * stride * 4) };
  const queries = chooseQueries(random, input);
  const done = keepClusters(input, work) ?? clusterAnew(input, work, random, queries);
  const { lists, history } = done;
  const plan = orderRows(input, lists.assigned, queries, {
    centroids: kernels.f32.slice(lists.centroids / 4, lists.centroids / 4 + lists.clusters * stride),
    quantizer: kernels.f32.slice(arrays / 4, arrays / 4 + stride * 3),
    history,
  });
  scratch.release(mark);
  return plan;
}

type Work = Pick<Lists, 'kernels' | 'scratch' | 'rows' | 'quantizer' | 'centroids'>;

interface Clustered {
  readonly lists: Lists;
  readonly history: ClusterHistory;
}

/** Goes on with the clusters that are kept; null when there are none, or they are no longer good. */
function keepClusters(input: IvfInput, work: Work): Clustered | null {
  const { kept } = input;
  if (kept === undefined || !isWorthKeeping(kept.history, kept.clusters, clustersOf(input))) return null;
  const { kernels, scratch, rows, quantizer, centroids } = work;
  kernels.f32.copyWithin(centroids / 4, kept.centroids / 4, kept.centroids / 4 + kept.clusters * rows.stride);
  const assigned = { first: kept.first.slice(), second: kept.second.slice() };
  const fresh = assigned.first.reduce((count, c) => count + (c === NO_CLUSTER ? 1 : 0), 0);
  const list = new Uint32Array(fresh);
  let at = 0;
  assigned.first.forEach((c, row) => {
    if (c === NO_CLUSTER) list[at++] = row;
  });
  const present = { rows: centroids, clusters: kept.clusters };
  assignRows(kernels, scratch, rows, quantizer, present, list, assigned);
  const lists: Lists = { ...work, clusters: kept.clusters, assigned, usual: usualOf(input) };
  if (errorOf(lists) > kept.history.error * DRIFT_MAX) return null;
  const changes = boundLists(lists, kept.clusters * CHANGES_MAX - kept.history.changes);
  if (changes === null) return null;
  const { generation, error } = kept.history;
  return { lists, history: { generation: generation + 1, changes: kept.history.changes + changes, error } };
}

function isWorthKeeping({ generation, error }: ClusterHistory, clusters: number, wanted: number): boolean {
  const fits = clusters >= wanted * FEWER_MAX && clusters <= wanted * MORE_MAX;
  return fits && generation < GENERATIONS_MAX && error > 0;
}

function clusterAnew(input: IvfInput, work: Work, random: Random, queries: Uint32Array): Clustered {
  const { kernels, scratch, rows, quantizer } = work;
  const clusters = clustersOf(input);
  const centroids = { clusters, rows: work.centroids };
  const sample = trainingSample(random, input.rows, clusters, queries);
  train(kernels, scratch, rows, sample, quantizer, centroids, { iterations: ITERATIONS, random });
  const assigned = {
    first: new Uint32Array(input.rows).fill(NO_CLUSTER),
    second: new Uint32Array(input.rows).fill(NO_CLUSTER),
  };
  const all = Uint32Array.from(assigned.first.keys());
  assignRows(kernels, scratch, rows, quantizer, centroids, all, assigned);
  const lists: Lists = { ...work, clusters, assigned, usual: usualOf(input) };
  boundLists(lists, Infinity);
  return { lists, history: { generation: 0, changes: 0, error: errorOf(lists) } };
}

/** Mean squared distance of rows to their centroids, on rows spread over all. */
function errorOf({ kernels, rows, assigned, centroids }: Lists): number {
  const all = Uint32Array.from(assigned.first.keys());
  return meanError(kernels, rows, all, assigned.first, centroids);
}

/**
 * Rows to measure recall with: of the kept rows those that served before, since no clustering has seen them,
 * of the others any, each in its share.
 */
function chooseQueries(random: Random, { rows, kept }: IvfInput): Uint32Array {
  const count = queryCount(rows);
  if (kept === undefined) return sampleNumbers(random, count, rows);
  const fresh = [...kept.first.keys()].filter((row) => kept.first[row] === NO_CLUSTER);
  const wanted = Math.round((count * fresh.length) / rows);
  const chosen = new Set([...sampleNumbers(random, wanted, fresh.length)].map((at) => fresh[at] ?? 0));
  const known = sampleNumbers(random, count - chosen.size, kept.queries.length);
  for (const at of known) chosen.add(kept.queries[at] ?? 0);
  for (const row of sampleNumbers(random, count, rows)) if (chosen.size < count) chosen.add(row);
  return Uint32Array.from(chosen).sort();
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
  const nprobe = new Uint32Array(CALIBRATED_K.length * CALIBRATED_TARGETS.length).fill(plan.clusters);
  const { history } = plan;
  writeHeader(kernels, pointers.centroids, plan, { calibration: { rerank: 4, nprobe }, history });
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
  writeHeader(kernels, pointers.centroids, plan, { calibration: report.calibration, history });
  return { view: openIvf(kernels, pointers, plan.sizes), report };
}

/** Clusters for a segment of so many rows: at least one. */
export function clusterCount(rows: number): number {
  return Math.max(1, Math.round(rows / ROWS_PER_CLUSTER));
}

function clustersOf({ rows, clusters }: Pick<IvfInput, 'rows' | 'clusters'>): number {
  return Math.min(rows, clusters ?? clusterCount(rows));
}

function usualOf(input: Pick<IvfInput, 'rows' | 'clusters'>): number {
  return input.rows / clustersOf(input);
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
