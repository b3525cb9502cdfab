/*
 * Where every row of a clustered segment goes: the result of clustering, before anything is written.
 *
 * Invariant: `order` is a permutation of the rows, and rows of one first cluster are neighbours in it.
 */
import type { Metric } from '../vector/metric.js';
import { rowStride } from '../vector/metric.js';
import type { ClusterHistory, IvfShape } from './layout.js';
import { BLOCK_ENTRIES, ivfSizes } from './layout.js';
import type { IvfSizes } from './layout.js';

/** Stands for "no second cluster". */
export const NO_CLUSTER = 0xffffffff;

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
  /** Clusters of some of the rows, to go on with instead of clustering all rows from scratch. */
  readonly kept?: KeptClusters;
}

/** What a merge knows of its largest input. */
export interface KeptClusters {
  /** Address of f32 rows, as the section `centroidRows` has them. */
  readonly centroids: number;
  readonly clusters: number;
  /** By row of the new segment, as gathered: `NO_CLUSTER` for rows of other inputs. */
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  /** Rows that no clustering has looked at, ascending: they serve as queries again. */
  readonly queries: Uint32Array;
  readonly history: ClusterHistory;
}

/** Where every row goes. Lives outside of scratch: the caller may use scratch between the two steps. */
export interface IvfPlan extends IvfShape {
  /** Rows, in their new numbering, that the clustering did not look at: the queries of the calibration. */
  readonly queries: Uint32Array;
  /** `order[row]`: the input's number of the row that gets number `row`. */
  readonly order: Uint32Array;
  /** Bytes to provide for the sections. */
  readonly sizes: IvfSizes;
  /** By new row number; the second is 0xffffffff for rows with one posting. */
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  readonly centroids: Float32Array;
  /** Centres, steps and reciprocal steps. */
  readonly quantizer: Float32Array;
  readonly history: ClusterHistory;
}

/** The clusters of every row, by its number in the input; the second may be `NO_CLUSTER`. */
export interface Assigned {
  readonly first: Uint32Array;
  readonly second: Uint32Array;
}

/** Drops empty clusters, numbers the rows by their first posting and adds up the blocks. */
export function orderRows(
  input: IvfInput,
  assigned: Assigned,
  queries: Uint32Array,
  trained: Pick<IvfPlan, 'centroids' | 'quantizer' | 'history'>,
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
    queries: renumber(queries, order),
    order,
    first,
    second,
    centroids: centroids.slice(0, clusters * stride),
    quantizer: trained.quantizer,
    history: trained.history,
    sizes: ivfSizes(shape),
  };
}

function renumber(rows: Uint32Array, order: Uint32Array): Uint32Array {
  const numbers = new Uint32Array(order.length);
  order.forEach((row, number) => {
    numbers[row] = number;
  });
  return rows.map((row) => numbers[row] ?? 0).sort();
}
