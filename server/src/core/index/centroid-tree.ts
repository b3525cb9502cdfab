/*
 * The centroids of a segment as rows are assigned by: coded, and from some hundreds on in groups, so that a
 * row is compared with the centroids of the nearest groups only.
 *
 * With √K groups the work per row grows with √K instead of K. The groups are made by a few rounds of k-means
 * on the centroids themselves, which costs next to nothing. A nearest centroid that lies in no group looked
 * into is missed: about one in a hundred, and then another one nearly as near is taken.
 */
import { collectorBytes, collectorCapacity } from '../vector/collector.js';
import type { Kernels } from '../vector/kernels.js';
import type { Scratch } from '../vector/scratch.js';
import { scratchBytes } from '../vector/scratch.js';
import { BLOCK_ENTRIES, blockBytes } from './layout.js';
import type { Quantizer } from './quantizer.js';

/** With fewer centroids a look at all of them is as fast. */
const GROUPED_FROM = 256;
/**
 * Groups that a row looks into: to find its place for good, while centroids are near theirs, and while these
 * are far from theirs.
 */
export const PROBES = { final: 10, near: 7, far: 3 } as const;
const ROUNDS = 4;
const TREE_WORDS = 8;
const NONE = 0xffffffff;

export interface CentroidTree {
  /** Address of what the kernels know a tree by. */
  readonly address: number;
  readonly blocks: number;
  /** Where in the blocks each centroid stands, by its number. */
  readonly slots: Uint32Array;
}

/** Scratch for `growTree` of at most so many centroids. */
export function treeBytes(stride: number, clusters: number): number {
  const groups = groupCount(clusters);
  const centroidBlocks = Math.ceil(clusters / BLOCK_ENTRIES) + groups;
  const block = blockBytes(stride / 4, 2);
  return (
    scratchBytes(TREE_WORDS * 4, centroidBlocks * block, Math.ceil(groups / BLOCK_ENTRIES) * block) +
    scratchBytes((groups + 1) * 4, clusters * 4, clusters * 4, nearBytes(1), groups * stride * 4) +
    scratchBytes(groups * stride * 4, groups * 4, clusters * (stride + 8), TREE_WORDS * 4, clusters * 4)
  );
}

/** Scratch of the kernels that rank centroids, `keep` of them, beside the row itself. */
export function nearBytes(keep: number): number {
  return (
    keep * 4 + 16 + collectorBytes(keep) + 16 + PROBES.final * 4 + 16 + collectorBytes(PROBES.final) + 16
  );
}

function groupCount(clusters: number): number {
  return clusters < GROUPED_FROM ? 0 : Math.round(Math.sqrt(clusters));
}

/** The tree of `clusters` centroids (f32 rows at `rows`), in scratch. */
export function growTree(
  kernels: Kernels,
  scratch: Scratch,
  quantizer: Quantizer,
  stride: number,
  { rows, clusters }: { readonly rows: number; readonly clusters: number },
  probe: number,
): CentroidTree {
  const groups = groupCount(clusters);
  const block = blockBytes(stride / 4, 2);
  const address = scratch.take(TREE_WORDS * 4);
  const blocks = scratch.take((Math.ceil(clusters / BLOCK_ENTRIES) + groups) * block);
  const groupBlocks = scratch.take(Math.ceil(groups / BLOCK_ENTRIES) * block);
  const table = scratch.take((groups + 1) * 4);
  const mark = scratch.mark();
  const list = scratch.take(clusters * 4);
  const groupOf = new Uint32Array(clusters);
  if (groups > 0)
    groupOf.set(groupCentroids(kernels, scratch, quantizer, stride, { rows, clusters, groups, groupBlocks }));
  const { starts, members } = listsOf(groupOf, Math.max(1, groups));
  kernels.u32.set(members, list / 4);
  const slots = new Uint32Array(clusters);
  let used = 0;
  for (let group = 0; group < Math.max(1, groups); group++) {
    const from = starts[group] ?? 0;
    const to = starts[group + 1] ?? 0;
    if (groups > 0) kernels.u32[table / 4 + group] = used;
    for (let at = from; at < to; at++) slots[members[at] ?? 0] = used * BLOCK_ENTRIES + at - from;
    encode(kernels, stride, quantizer, {
      list: list + from * 4,
      count: to - from,
      rows,
      blocks: blocks + used * block,
    });
    used += Math.ceil((to - from) / BLOCK_ENTRIES);
  }
  if (groups > 0) kernels.u32[table / 4 + groups] = used;
  scratch.release(mark);
  const words = [
    rows,
    blocks,
    used,
    table,
    groupBlocks,
    groups === 0 ? 0 : Math.ceil(groups / BLOCK_ENTRIES),
  ];
  kernels.u32.set([...words, probe, collectorCapacity(probe)], address / 4);
  return { address, blocks, slots };
}

interface Coded {
  readonly list: number;
  readonly count: number;
  readonly rows: number;
  readonly blocks: number;
}

function encode(
  kernels: Kernels,
  stride: number,
  quantizer: Quantizer,
  { list, count, rows, blocks }: Coded,
): void {
  const { centres, inverses } = quantizer;
  kernels.call.encodeEntries(list, count, rows, 0, centres, inverses, stride / 4, 2, 1, blocks);
}

interface Grouping {
  readonly rows: number;
  readonly clusters: number;
  readonly groups: number;
  readonly groupBlocks: number;
}

/** The group of every centroid; leaves the groups' own centroids, coded, at `groupBlocks`. */
function groupCentroids(
  kernels: Kernels,
  scratch: Scratch,
  quantizer: Quantizer,
  stride: number,
  { rows, clusters, groups, groupBlocks }: Grouping,
): Uint32Array {
  const lanes = stride / 4;
  const all = scratch.take(clusters * 4);
  const work = scratch.take(nearBytes(1));
  const means = scratch.take(groups * stride * 4);
  const sums = scratch.take(groups * stride * 4);
  const counts = scratch.take(groups * 4);
  const rounded = scratch.take(clusters * (stride + 8));
  const tree = scratch.take(TREE_WORDS * 4);
  const out = scratch.take(clusters * 4);
  for (let c = 0; c < clusters; c++) kernels.u32[all / 4 + c] = c;
  for (let g = 0; g < groups; g++) {
    const from = rows / 4 + Math.floor((g * clusters) / groups) * stride;
    kernels.f32.copyWithin(means / 4 + g * stride, from, from + stride);
  }
  const { centres, steps } = quantizer;
  kernels.call.quantizeRows(all, clusters, rows, 0, centres, steps, lanes, rounded);
  kernels.u32.set([means, groupBlocks, Math.ceil(groups / BLOCK_ENTRIES), 0, 0, 0, 0, 0], tree / 4);
  for (let round = 0; round < ROUNDS; round++) {
    encode(kernels, stride, quantizer, { list: all, count: groups, rows: means, blocks: groupBlocks });
    kernels.call.assignRounded(rounded, clusters, tree, lanes, collectorCapacity(1), work, out);
    if (round === ROUNDS - 1) break;
    kernels.f32.fill(0, sums / 4, sums / 4 + groups * stride);
    kernels.u32.fill(0, counts / 4, counts / 4 + groups);
    kernels.call.addToSums(all, out, clusters, rows, 0, lanes, sums, counts);
    for (let g = 0; g < groups; g++) {
      const size = kernels.u32[counts / 4 + g] ?? 0;
      if (size === 0) continue;
      for (let d = 0; d < stride; d++) {
        kernels.f32[means / 4 + g * stride + d] = (kernels.f32[sums / 4 + g * stride + d] ?? 0) / size;
      }
    }
  }
  return kernels.u32.slice(out / 4, out / 4 + clusters);
}

/** The members of every group, one group after the other, each ascending; `NONE` is a member of nothing. */
export function listsOf(
  groupOf: Uint32Array,
  groups: number,
): { readonly starts: Uint32Array; readonly members: Uint32Array } {
  const starts = new Uint32Array(groups + 1);
  for (const group of groupOf) if (group !== NONE) starts[group + 1] = (starts[group + 1] ?? 0) + 1;
  for (let group = 0; group < groups; group++)
    starts[group + 1] = (starts[group + 1] ?? 0) + (starts[group] ?? 0);
  const next = starts.slice();
  const members = new Uint32Array(starts[groups] ?? 0);
  groupOf.forEach((group, member) => {
    if (group === NONE) return;
    const at = next[group] ?? 0;
    members[at] = member;
    next[group] = at + 1;
  });
  return { starts, members };
}
