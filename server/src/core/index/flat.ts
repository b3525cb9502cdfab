/*
 * Exact search without an index: over all rows of a part, or over a list of rows. Scores are f32, the same
 * bits on every machine.
 */
import { invariant } from '../errors.js';
import type { Hits, RowBitmaps } from '../vector/collector.js';
import { collectorBytes, newCollector, takeHits } from '../vector/collector.js';
import type { Kernels } from '../vector/kernels.js';
import type { Metric } from '../vector/metric.js';
import { METRIC_NUMBERS, rowStride } from '../vector/metric.js';
import type { Scratch } from '../vector/scratch.js';
import { scratchBytes } from '../vector/scratch.js';

/** Rows of a memtable or a segment. */
export interface FlatView {
  readonly metric: Metric;
  readonly dimensions: number;
  readonly rows: number;
  /** f32 rows, `rowStride(dimensions)` floats apart, on a multiple of 16. */
  readonly raw: number;
  /** f32 per row, see `factorOfNorm`. */
  readonly factors: number;
}

/** Scratch that the searches below need; `listed`: rows of the list, or rows that match. */
export function flatScratchBytes(dimensions: number, k: number, listed = 0): number {
  return scratchBytes(rowStride(dimensions) * 4, collectorBytes(k), listed * 4, k * 4, k * 4);
}

/** The `k` nearest of all rows that the bitmaps let through. */
export function searchFlat(
  kernels: Kernels,
  scratch: Scratch,
  view: FlatView,
  query: Float32Array,
  options: RowBitmaps & { readonly k: number },
): Hits {
  const mark = scratch.mark();
  const stride = rowStride(view.dimensions) * 4;
  const target = loadQuery(kernels, scratch, view.metric, query);
  const collector = newCollector(kernels, scratch, options.k, options);
  kernels.call.scanRange(
    METRIC_NUMBERS[view.metric],
    view.raw,
    stride,
    view.factors,
    target,
    0,
    view.rows,
    collector,
  );
  const hits = takeHits(kernels, scratch, collector);
  scratch.release(mark);
  return hits;
}

/** The `k` nearest of the listed rows that the bitmaps let through. No row is listed twice. */
export function searchRows(
  kernels: Kernels,
  scratch: Scratch,
  view: FlatView,
  query: Float32Array,
  list: Uint32Array,
  options: RowBitmaps & { readonly k: number },
): Hits {
  const mark = scratch.mark();
  const stride = rowStride(view.dimensions) * 4;
  const target = loadQuery(kernels, scratch, view.metric, query);
  const collector = newCollector(kernels, scratch, options.k, options);
  const rows = scratch.take(list.length * 4);
  kernels.u32.set(list, rows / 4);
  kernels.call.scanList(
    METRIC_NUMBERS[view.metric],
    view.raw,
    stride,
    view.factors,
    target,
    rows,
    list.length,
    collector,
  );
  const hits = takeHits(kernels, scratch, collector);
  scratch.release(mark);
  return hits;
}

/**
 * The `k` nearest of the rows that `allow` lets through, comparing no others: for a filter that few rows
 * match. Needs scratch for a list of all `matching` rows.
 */
export function searchAllowed(
  kernels: Kernels,
  scratch: Scratch,
  view: FlatView,
  query: Float32Array,
  options: {
    readonly k: number;
    readonly allow: number;
    readonly matching: number;
    readonly deleted?: number;
  },
): Hits {
  const mark = scratch.mark();
  const target = loadQuery(kernels, scratch, view.metric, query);
  const { deleted = 0 } = options;
  const collector = newCollector(kernels, scratch, options.k, { deleted });
  const list = scratch.take(options.matching * 4);
  const allowed = kernels.call.countBits(options.allow, 0, view.rows);
  invariant(allowed <= options.matching, `${allowed} rows are allowed, ${options.matching} were announced`);
  const count = kernels.call.listBits(options.allow, view.rows, list);
  const stride = rowStride(view.dimensions) * 4;
  const metric = METRIC_NUMBERS[view.metric];
  kernels.call.scanList(metric, view.raw, stride, view.factors, target, list, count, collector);
  const hits = takeHits(kernels, scratch, collector);
  scratch.release(mark);
  return hits;
}

/**
 * Copies the query into scratch, padded with zeros and, under cosine, of unit length. Returns its address.
 */
export function loadQuery(kernels: Kernels, scratch: Scratch, metric: Metric, query: Float32Array): number {
  const stride = rowStride(query.length);
  const pointer = scratch.take(stride * 4);
  const at = pointer / 4;
  kernels.f32.set(query, at);
  kernels.f32.fill(0, at + query.length, at + stride);
  if (metric !== 'cosine') return pointer;
  let squared = 0;
  for (let index = 0; index < query.length; index++) {
    const value = query[index] ?? 0;
    squared += value * value;
  }
  const weight = squared > 0 ? 1 / Math.sqrt(squared) : 0;
  for (let index = 0; index < query.length; index++) {
    kernels.f32[at + index] = (query[index] ?? 0) * weight;
  }
  return pointer;
}
