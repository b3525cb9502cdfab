/*
 * Search in a clustered segment: rank the centroids, scan the codes of the nearest postings, compare the best
 * of them exactly.
 *
 * How many postings are read comes from the segment's calibration for the recall asked for. Under a filter
 * the matching rows are thinner, so as many are read as an unfiltered search for proportionally more hits
 * would read. Reading goes on, among clusters that hold matching rows, until about as many of those were seen
 * as if they lay evenly, and until `k` rows are found or every posting was read: a filtered query is never
 * short of hits that exist.
 */
import type { Hits, RowBitmaps } from '../vector/collector.js';
import { collectorBytes, collectorCount, newCollector, takeHits } from '../vector/collector.js';
import type { Kernels } from '../vector/kernels.js';
import { METRIC_NUMBERS, rowStride } from '../vector/metric.js';
import type { Scratch } from '../vector/scratch.js';
import { scratchBytes } from '../vector/scratch.js';
import { loadQuery } from './flat.js';
import type { Calibration, IvfView } from './layout.js';
import { BLOCK_ENTRIES, CALIBRATED_K, CALIBRATED_TARGETS } from './layout.js';

/** Exact comparisons beyond the calibrated share, for small `k`. */
const RERANK_EXTRA = 8;
/** Matching rows lie less evenly than rows: a filtered query reads as if for so many more hits. */
const FILTER_MARGIN = 1.5;
/**
 * When the matching rows lie apart from the query: how many of them are read for each hit, and in how many
 * more clusters than an unfiltered search reads. Far clusters are nearly equally far, so their ranking says
 * little.
 */
const DEEP_ROWS_PER_HIT = 32;
const DEEP_CLUSTERS = 2;

export interface IvfOptions extends RowBitmaps {
  readonly k: number;
  /** Share of the true nearest rows that a result holds on average; 0.95 unless given. */
  readonly recallTarget?: number;
  /** Postings to read, instead of the calibrated number. */
  readonly nprobe?: number;
  /** Rows to compare exactly, instead of the calibrated number. */
  readonly rerank?: number;
  /** Rows that `allow` lets through, to be given with it: says how thin the matching rows are. */
  readonly matching?: number;
}

export interface IvfHits extends Hits {
  /** Entries whose code was compared, including padding. */
  readonly scanned: number;
  /** Postings read. */
  readonly probed: number;
}

/** Scratch that `searchIvf` needs. */
export function ivfScratchBytes(view: IvfView, k: number, rerank: number): number {
  const keep = Math.max(k, rerank);
  return (
    scratchBytes(view.stride * 4, roundedQueryBytes(view), seenBytes(view)) +
    scratchBytes(collectorBytes(view.clusters), view.clusters * 4) +
    scratchBytes(collectorBytes(keep), keep * 8, collectorBytes(k), k * 4, k * 4)
  );
}

/** The `k` rows nearest to the query, as far as the recall target asks. */
export function searchIvf(
  kernels: Kernels,
  scratch: Scratch,
  view: IvfView,
  query: Float32Array,
  options: IvfOptions,
): IvfHits {
  const mark = scratch.mark();
  const target = loadQuery(kernels, scratch, view.metric, query);
  const rounded = roundQuery(kernels, scratch, view, target);
  const keep = Math.max(options.k, options.rerank ?? calibratedRerank(view.calibration, options.k));
  const seen = newBitmap(kernels, scratch, view.rows);
  const byCode = newCollector(kernels, scratch, keep, options, seen);
  const progress = probe(kernels, scratch, view, rounded, byCode, options);
  const hits = rerank(kernels, scratch, view, target, byCode, options.k);
  scratch.release(mark);
  return { ...hits, ...progress };
}

/**
 * Postings to read for `k` hits at a recall target. Between and beyond the calibrated numbers of hits, by a
 * power law.
 */
export function calibratedProbes(view: IvfView, k: number, recallTarget: number): number {
  const targets = CALIBRATED_TARGETS.length;
  const column = CALIBRATED_TARGETS.findIndex((value) => value >= recallTarget - 1e-9);
  if (column < 0) return view.clusters;
  const at = (level: number): number => view.calibration.nprobe[level * targets + column] ?? view.clusters;
  let upper = CALIBRATED_K.findIndex((value) => value >= k);
  if (upper === 0) return at(0);
  if (upper < 0) upper = CALIBRATED_K.length - 1;
  const [low, high] = [CALIBRATED_K[upper - 1] ?? 1, CALIBRATED_K[upper] ?? 1];
  const slope = Math.log(at(upper) / at(upper - 1)) / Math.log(high / low);
  // Beyond the largest calibrated number the last slope goes on.
  const probes = at(upper - 1) * Math.pow(k / low, slope);
  return Math.min(view.clusters, Math.max(1, Math.ceil(probes - 1e-6)));
}

/** Candidates to compare exactly for `k` hits, as calibrated. */
export function calibratedRerank(calibration: Calibration, k: number): number {
  return Math.ceil(calibration.rerank * k) + RERANK_EXTRA;
}

/** @internal The rounded query and its factor and shift, as the kernels read them. */
export interface RoundedQuery {
  readonly pointer: number;
  readonly factor: number;
  readonly shift: number;
}

/** @internal */
export function roundQuery(kernels: Kernels, scratch: Scratch, view: IvfView, query: number): RoundedQuery {
  const pointer = scratch.take(roundedQueryBytes(view));
  // Only a distance may be measured from the centre; for an inner product the centre's share is the same for
  // every row.
  const centres = view.metric === 'l2' ? view.centres : 0;
  kernels.call.quantizeQuery(query, 1, centres, view.steps, view.groups, pointer);
  const tail = pointer / 4 + view.groups;
  return { pointer, factor: kernels.f32[tail] ?? 0, shift: kernels.i32[tail + 1] ?? 0 };
}

/**
 * @internal Writes the numbers of the `count` nearest centroids, nearest first; returns the address of the
 * list.
 */
export function rankCentroids(
  kernels: Kernels,
  scratch: Scratch,
  view: IvfView,
  query: RoundedQuery,
  count: number,
): number {
  const list = scratch.take(count * 4);
  const mark = scratch.mark();
  const collector = newCollector(kernels, scratch, count);
  kernels.call.scanBlocks(
    view.centroidBlocks,
    view.centroidBlockCount,
    view.groups,
    2,
    query.pointer,
    query.factor,
    query.shift,
    collector,
  );
  kernels.call.collectorSort(collector);
  kernels.call.collectorTake(collector, list, 0);
  scratch.release(mark);
  return list;
}

function probe(
  kernels: Kernels,
  scratch: Scratch,
  view: IvfView,
  query: RoundedQuery,
  collector: number,
  options: IvfOptions,
): { scanned: number; probed: number } {
  const plan = planProbes(view, options);
  let wanted = plan.probes;
  let ranked = 0;
  let probed = 0;
  let blocks = 0;
  let matching = 0;
  let clusters = 0;
  for (;;) {
    const mark = scratch.mark();
    const list = rankCentroids(kernels, scratch, view, query, wanted) + ranked * 4;
    let count = wanted - ranked;
    if (plan.allow !== 0) {
      // Beyond what an even filter needs, only clusters with matching rows of their own are worth reading.
      const kept = countMatches(kernels, view, plan.allow, list, count, ranked > 0);
      matching += kept.matching;
      clusters += kept.clusters;
      count = kept.count;
    }
    blocks += kernels.call.scanPostings(
      view.postingBlocks,
      view.table,
      list,
      count,
      view.groups,
      view.terms,
      query.pointer,
      query.factor,
      query.shift,
      collector,
    );
    scratch.release(mark);
    probed += count;
    ranked = wanted;
    if (ranked === view.clusters) break;
    if (collectorCount(kernels, collector) >= options.k && matching >= plan.even) {
      // A filter that the first postings hold evenly needs no more; one that avoids them is searched deeper.
      if (ranked === plan.probes || (matching >= plan.deep && clusters >= plan.clusters)) break;
    }
    wanted = Math.min(view.clusters, wanted * 2);
  }
  return { scanned: blocks * BLOCK_ENTRIES, probed };
}

/** @internal How far a search reads. */
export interface ProbePlan {
  readonly probes: number;
  readonly allow: number;
  /** Fewer matching rows than these in the first `probes` clusters: the filter avoids the neighbourhood. */
  readonly even: number;
  /** Then reading goes on until so many matching rows, in so many clusters, were seen. */
  readonly deep: number;
  readonly clusters: number;
}

/** @internal */
export function planProbes(view: IvfView, options: IvfOptions): ProbePlan {
  const allow = options.allow ?? 0;
  const target = options.recallTarget ?? 0.95;
  const within = (probes: number): number => Math.min(view.clusters, Math.max(1, probes));
  const unfiltered = within(options.nprobe ?? calibratedProbes(view, options.k, target));
  if (allow === 0) return { probes: unfiltered, allow, even: 0, deep: 0, clusters: 0 };
  const share = Math.max(1, options.matching ?? view.rows) / view.rows;
  const probes = within(
    options.nprobe ?? calibratedProbes(view, (FILTER_MARGIN * options.k) / share, target),
  );
  const even = Math.floor(((probes / view.clusters) * share * view.rows) / 2);
  const deep = Math.max(even, DEEP_ROWS_PER_HIT * options.k);
  return { probes, allow, even, deep, clusters: unfiltered * DEEP_CLUSTERS };
}

/** Adds up the matching rows of the listed clusters; `drop`: takes clusters without any off the list. */
function countMatches(
  kernels: Kernels,
  view: IvfView,
  allow: number,
  list: number,
  count: number,
  drop: boolean,
): { readonly matching: number; readonly clusters: number; readonly count: number } {
  let matching = 0;
  let clusters = 0;
  let kept = 0;
  for (let index = 0; index < count; index++) {
    const cluster = kernels.u32[list / 4 + index] ?? 0;
    const at = view.firstRows / 4 + cluster;
    const own = kernels.call.countBits(allow, kernels.u32[at] ?? 0, kernels.u32[at + 1] ?? 0);
    matching += own;
    if (own > 0) clusters++;
    if (drop && own === 0) continue;
    kernels.u32[list / 4 + kept++] = cluster;
  }
  return { matching, clusters, count: kept };
}

function rerank(
  kernels: Kernels,
  scratch: Scratch,
  view: IvfView,
  query: number,
  byCode: number,
  k: number,
): Hits {
  const count = kernels.call.collectorShrink(byCode);
  const list = scratch.take(count * 4);
  kernels.call.collectorTake(byCode, list, 0);
  const collector = newCollector(kernels, scratch, k);
  const stride = rowStride(view.dimensions) * 4;
  kernels.call.scanList(
    METRIC_NUMBERS[view.metric],
    view.raw,
    stride,
    view.factors,
    query,
    list,
    count,
    collector,
  );
  return takeHits(kernels, scratch, collector);
}

function newBitmap(kernels: Kernels, scratch: Scratch, rows: number): number {
  const words = Math.ceil(rows / 32);
  const pointer = scratch.take(words * 4);
  kernels.u32.fill(0, pointer / 4, pointer / 4 + words);
  return pointer;
}

function seenBytes(view: IvfView): number {
  return Math.ceil(view.rows / 32) * 4;
}

function roundedQueryBytes(view: IvfView): number {
  return view.groups * 4 + 8;
}
