/*
 * The clusters that a merge can go on with: those of an input that many of the rows come from.
 *
 * A row's first posting follows from its number, its second from the posting it is found in. Whether the
 * clusters are still good is decided where they are used, by what the segment says of their history.
 */
import type { IvfView } from '../index/layout.js';
import { BLOCK_ENTRIES, blockBytes } from '../index/layout.js';
import type { Assigned, KeptClusters } from '../index/plan.js';
import { NO_CLUSTER } from '../index/plan.js';
import type { Kernels } from '../vector/kernels.js';
import type { GatheredRows } from './gather.js';
import { openPart } from './open-parts.js';
import { selfTestQueries } from './self-test.js';
import type { Part } from './tasks.js';

/**
 * Share of all rows that the input must have. Whether its clusters are enough for all rows is another rule.
 */
const SHARE_MIN = 1 / 3;

/** Null when no clustered input has enough of the rows. */
export function keptClusters(
  kernels: Kernels,
  parts: readonly Part[],
  rows: GatheredRows,
): KeptClusters | null {
  const counts = rows.counts();
  const indexes = parts.map((part, index) => {
    const enough = (counts[index] ?? 0) >= rows.count * SHARE_MIN;
    return part.kind === 'segment' && enough ? openPart(kernels, part) : null;
  });
  // Of two with as many rows, one that had more before has the clusters for so many.
  const clustersOf = (index: number): number => indexes[index]?.ivf?.clusters ?? 0;
  const index = parts.reduce((best, _, at) => (clustersOf(at) > clustersOf(best) ? at : best), 0);
  const { view, ivf } = indexes[index] ?? {};
  if (view === undefined || !ivf || ivf.centroidRows === 0 || ivf.postingBlocks === 0) return null;
  const before = counts.subarray(0, index).reduce((sum, count) => sum + count, 0);
  const own = assignedOf(kernels, ivf);
  const first = new Uint32Array(rows.count).fill(NO_CLUSTER);
  const second = new Uint32Array(rows.count).fill(NO_CLUSTER);
  const gathered = new Uint32Array(view.rows).fill(NO_CLUSTER);
  for (let at = before; at < before + (counts[index] ?? 0); at++) {
    const row = rows.rowOf(at);
    first[at] = own.first[row] ?? NO_CLUSTER;
    second[at] = own.second[row] ?? NO_CLUSTER;
    gathered[row] = at;
  }
  const queries = selfTestQueries(view.required('selfTest'))
    .map((row) => gathered[row] ?? NO_CLUSTER)
    .filter((row) => row !== NO_CLUSTER)
    .sort();
  const { centroidRows, clusters, history } = ivf;
  return { centroids: centroidRows, clusters, first, second, queries, history };
}

/** The two clusters of every row of a segment. */
function assignedOf(kernels: Kernels, ivf: IvfView): Assigned {
  const first = new Uint32Array(ivf.rows);
  const second = new Uint32Array(ivf.rows).fill(NO_CLUSTER);
  const words = blockBytes(ivf.groups, ivf.terms) / 4;
  const firstRow = kernels.u32.subarray(ivf.firstRows / 4, ivf.firstRows / 4 + ivf.clusters + 1);
  const table = kernels.u32.subarray(ivf.table / 4, ivf.table / 4 + ivf.clusters + 1);
  for (let c = 0; c < ivf.clusters; c++) first.fill(c, firstRow[c], firstRow[c + 1]);
  for (let c = 0; c < ivf.clusters; c++) {
    for (let block = table[c] ?? 0; block < (table[c + 1] ?? 0); block++) {
      const at = ivf.postingBlocks / 4 + block * words;
      for (let entry = 0; entry < BLOCK_ENTRIES; entry++) {
        const row = kernels.u32[at + entry] ?? NO_CLUSTER;
        if (row < ivf.rows && first[row] !== c) second[row] = c;
      }
    }
  }
  return { first, second };
}
