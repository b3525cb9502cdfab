/*
 * Writes the coded parts of a clustered segment: centroids as a query ranks them, and the postings.
 */
import type { Kernels } from '../vector/kernels.js';
import { rowStride } from '../vector/metric.js';
import type { Scratch } from '../vector/scratch.js';
import type { IvfPointers } from './layout.js';
import { BLOCK_ENTRIES, blockBytes, centroidLayout, firstRowsAt, termsOfMetric } from './layout.js';
import type { IvfPlan } from './plan.js';
import { NO_CLUSTER } from './plan.js';
import type { Quantizer } from './quantizer.js';

/** Codes the centroids; the calibration sets how much their norms weigh. */
export function writeCentroidCodes(
  kernels: Kernels,
  scratch: Scratch,
  plan: IvfPlan,
  pointers: IvfPointers,
  quantizer: Quantizer,
): void {
  const mark = scratch.mark();
  const layout = centroidLayout(plan.dimensions, plan.clusters);
  const stride = rowStride(plan.dimensions);
  const numbers = scratch.take(plan.clusters * 4);
  for (let c = 0; c < plan.clusters; c++) kernels.u32[numbers / 4 + c] = c;
  const blocks = pointers.centroids + layout.blocks;
  const { centres, inverses } = quantizer;
  const groups = stride / 4;
  kernels.call.encodeEntries(
    ...([numbers, plan.clusters, pointers.centroidRows, 0] as const),
    ...([centres, inverses, groups, 2, 1, blocks] as const),
  );
  scratch.release(mark);
}

/** Writes the blocks of every posting, and the table that says where each begins. */
export function writePostings(
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
  const table = pointers.postingTable / 4;
  const blocks = pointers.postings;
  kernels.u32.fill(0, table, table + plan.sizes.postingTable / 4);
  writeFirstRows(kernels, plan, (pointers.postingTable + firstRowsAt(plan.clusters)) / 4);
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
