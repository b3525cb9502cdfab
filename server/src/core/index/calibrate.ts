/*
 * How many postings a query has to read for a recall, measured on the finished index: rows of the segment
 * serve as queries, each left out of its own answers, against exact answers.
 *
 * For every query the postings are ranked as a search would rank them, and for every true neighbour it is
 * noted at which rank its nearer posting stands; the whole curve of recall over postings follows without a
 * search. The number of exact comparisons is measured by searching. Both are chosen so that the mean recall
 * less one standard error reaches the target.
 */
import type { Hits } from '../vector/collector.js';
import { collectorBytes, newCollector, takeHits } from '../vector/collector.js';
import type { Kernels } from '../vector/kernels.js';
import { METRIC_NUMBERS, rowStride } from '../vector/metric.js';
import type { Scratch } from '../vector/scratch.js';
import { scratchBytes } from '../vector/scratch.js';
import { CENTROID_WEIGHTS, centroidHalfNorms, weighCentroids } from './centroid-bias.js';
import { loadQuery } from './flat.js';
import type { Calibration, IvfView } from './layout.js';
import { CALIBRATED_K, CALIBRATED_TARGETS } from './layout.js';
import { rankCentroids, roundQuery, searchIvf } from './search.js';

const QUERIES_MAX = 256;
/** In a small segment no more than this share of the rows serves as queries. */
const QUERY_SHARE = 1 / 4;
/** Standard errors by which the measured recall must exceed a target. */
const CONFIDENCE = 1.65;
/** Rows scored for all queries before the next ones: as many as stay in a core's cache. */
const CHUNK_BYTES = 256 * 1024;
/** Exact comparisons per hit that are tried, and the loss of recall that is accepted. */
const RERANK_FACTORS = [1, 1.5, 2, 3, 4, 6, 8] as const;
const RERANK_LOSS = 0.002;
const RERANK_K = 10;
const RERANK_QUERIES = 96;
/** What the weight of the centroids' norms is chosen for. */
const WEIGHT_K = 10;
const WEIGHT_TARGET = 0.95;
const WEIGHT_QUERIES = 128;
const NO_CLUSTER = 0xffffffff;

export interface CalibrationReport {
  readonly calibration: Calibration;
  /** Rows that served as queries. */
  readonly queries: Uint32Array;
  /** Exact answers of each, nearest first, without itself. */
  readonly answers: readonly Uint32Array[];
}

/** The first and second posting of every row. */
export interface Membership {
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  /** Rows that serve as queries. */
  readonly queries: Uint32Array;
}

/** How many rows of a segment serve as queries. */
export function queryCount(rows: number): number {
  return Math.max(1, Math.min(QUERIES_MAX, Math.floor(rows * QUERY_SHARE)));
}

/** Bytes of scratch memory that `calibrate` needs. */
export function calibrateScratchBytes(dimensions: number, rows: number, clusters: number): number {
  const stride = rowStride(dimensions);
  const deepest = CALIBRATED_K[CALIBRATED_K.length - 1] ?? 1;
  const answers = queryCount(rows) * scratchBytes(stride * 4, collectorBytes(deepest + 1));
  const search = scratchBytes(Math.ceil(rows / 32) * 4, collectorBytes(clusters), clusters * 4, stride * 8);
  return answers + search + scratchBytes(deepest * 8, collectorBytes(deepest), collectorBytes(256), 4096);
}

/** Measures which settings reach which recall, on rows of the index itself as queries. */
export function calibrate(
  kernels: Kernels,
  scratch: Scratch,
  view: IvfView,
  membership: Membership,
): CalibrationReport {
  const { queries } = membership;
  const answers = exactAnswers(kernels, scratch, view, queries);
  weighCentroidsBest(kernels, scratch, view, answers, membership);
  const ranks = answers.map((rows, index) => {
    const list = rankedClusters(kernels, scratch, view, queries[index] ?? 0);
    return ranksOf(list, rows, membership);
  });
  const nprobe = new Uint32Array(CALIBRATED_K.length * CALIBRATED_TARGETS.length);
  CALIBRATED_K.forEach((k, level) => {
    const ascending = ranks.map((all) => all.slice(0, k).sort());
    CALIBRATED_TARGETS.forEach((target, column) => {
      nprobe[level * CALIBRATED_TARGETS.length + column] = probesFor(ascending, target, view.clusters);
    });
  });
  const probes = nprobe[CALIBRATED_TARGETS.length + CALIBRATED_TARGETS.indexOf(0.98)] ?? view.clusters;
  const rerank = rerankFor(kernels, scratch, view, queries.subarray(0, RERANK_QUERIES), answers, probes);
  return { calibration: { nprobe, rerank }, queries, answers };
}

/** A row of the segment as a query would give it. */
export function rowVector(kernels: Kernels, view: IvfView, row: number): Float32Array {
  const at = view.raw / 4 + row * view.stride;
  return kernels.f32.slice(at, at + view.dimensions);
}

function exactAnswers(
  kernels: Kernels,
  scratch: Scratch,
  view: IvfView,
  queries: Uint32Array,
): Uint32Array[] {
  const mark = scratch.mark();
  const depth = Math.min(view.rows, CALIBRATED_K[CALIBRATED_K.length - 1] ?? 1);
  const stride = view.stride * 4;
  const work = [...queries].map((row) => ({
    target: loadQuery(kernels, scratch, view.metric, rowVector(kernels, view, row)),
    collector: newCollector(kernels, scratch, depth + 1),
  }));
  const chunk = Math.max(64, Math.floor(CHUNK_BYTES / stride));
  const metric = METRIC_NUMBERS[view.metric];
  for (let from = 0; from < view.rows; from += chunk) {
    const to = Math.min(view.rows, from + chunk);
    for (const { target, collector } of work) {
      kernels.call.scanRange(metric, view.raw, stride, view.factors, target, from, to, collector);
    }
  }
  const answers = work.map(({ collector }, index) =>
    takeHits(kernels, scratch, collector)
      .rows.filter((row) => row !== queries[index])
      .subarray(0, depth),
  );
  scratch.release(mark);
  return answers;
}

/**
 * Sets the weight of the centroids' norms with which fewest blocks are read for the usual recall of the usual
 * hits.
 */
function weighCentroidsBest(
  kernels: Kernels,
  scratch: Scratch,
  view: IvfView,
  answers: readonly Uint32Array[],
  membership: Membership,
): void {
  const halfNorms = centroidHalfNorms(kernels, view);
  const queries = membership.queries.subarray(0, WEIGHT_QUERIES);
  let best = { weight: 0, cost: Infinity };
  for (const weight of CENTROID_WEIGHTS) {
    weighCentroids(kernels, view, halfNorms, weight);
    const lists = [...queries].map((row) => rankedClusters(kernels, scratch, view, row));
    const ranks = lists.map((list, index) =>
      ranksOf(list, (answers[index] ?? new Uint32Array()).subarray(0, WEIGHT_K), membership).sort(),
    );
    const probes = probesFor(ranks, WEIGHT_TARGET, view.clusters);
    const cost = lists.reduce((sum, list) => sum + blocksOf(kernels, view, list.subarray(0, probes)), 0);
    if (cost < best.cost) best = { weight, cost };
  }
  weighCentroids(kernels, view, halfNorms, best.weight);
}

function blocksOf(kernels: Kernels, view: IvfView, clusters: Uint32Array): number {
  return clusters.reduce((sum, cluster) => {
    const at = view.table / 4 + cluster;
    return sum + (kernels.u32[at + 1] ?? 0) - (kernels.u32[at] ?? 0);
  }, 0);
}

/** All clusters as a search for this row ranks them, nearest first. */
export function rankedClusters(kernels: Kernels, scratch: Scratch, view: IvfView, row: number): Uint32Array {
  const mark = scratch.mark();
  const target = loadQuery(kernels, scratch, view.metric, rowVector(kernels, view, row));
  const rounded = roundQuery(kernels, scratch, view, target);
  const list = rankCentroids(kernels, scratch, view, rounded, view.clusters) / 4;
  scratch.release(mark);
  return kernels.u32.slice(list, list + view.clusters);
}

/** For every answer the rank, from 0, of the nearer of its postings. */
export function ranksOf(clusters: Uint32Array, answers: Uint32Array, membership: Membership): Uint32Array {
  const rankOf = new Uint32Array(clusters.length);
  clusters.forEach((cluster, rank) => {
    rankOf[cluster] = rank;
  });
  return answers.map((row) => {
    const rank = rankOf[membership.first[row] ?? 0] ?? 0;
    const second = membership.second[row] ?? NO_CLUSTER;
    return second === NO_CLUSTER ? rank : Math.min(rank, rankOf[second] ?? rank);
  });
}

/**
 * The least number of postings whose recall, less its uncertainty, reaches the target. Ranks are ascending.
 */
export function probesFor(ranks: readonly Uint32Array[], target: number, clusters: number): number {
  let low = 1;
  let high = clusters;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const recalls = ranks.map((all) => (all.length === 0 ? 1 : countBelow(all, middle) / all.length));
    if (lowerBound(recalls) >= target) high = middle;
    else low = middle + 1;
  }
  return low;
}

function countBelow(ascending: Uint32Array, limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lowerBound(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return mean - CONFIDENCE * Math.sqrt(variance / values.length);
}

/** The least factor that loses no more than `RERANK_LOSS` against comparing eight rows per hit. */
function rerankFor(
  kernels: Kernels,
  scratch: Scratch,
  view: IvfView,
  queries: Uint32Array,
  answers: readonly Uint32Array[],
  nprobe: number,
): number {
  const recallAt = (factor: number): number => {
    const rerank = Math.ceil(factor * (RERANK_K + 1));
    let found = 0;
    let wanted = 0;
    queries.forEach((row, index) => {
      const vector = rowVector(kernels, view, row);
      const hits: Hits = searchIvf(kernels, scratch, view, vector, { k: RERANK_K + 1, nprobe, rerank });
      const returned = new Set(hits.rows);
      const truth = (answers[index] ?? new Uint32Array()).subarray(0, RERANK_K);
      wanted += truth.length;
      for (const answer of truth) if (returned.has(answer)) found++;
    });
    return wanted === 0 ? 1 : found / wanted;
  };
  const best = recallAt(8);
  return RERANK_FACTORS.find((factor) => recallAt(factor) >= best - RERANK_LOSS) ?? 8;
}
