/*
 * Keeps the postings of an index neither too long nor too short, by the rules of LIRE (Xu et al., SPFresh,
 * 2023): a posting that is too long is cut in two and more, one that is too short is dissolved, and then only
 * rows are assigned anew that this can concern: those of the posting itself, those that had it as their
 * second, and rows of neighbouring postings to which a new centroid is nearer than their own.
 *
 * At most four rounds, since assigning anew can make other postings too long. After the last one no posting
 * has more than `most` entries, on any data: what is too long still is cut without looking at neighbours, and
 * entries that are only second ones are left out.
 */
import type { Kernels } from '../vector/kernels.js';
import type { Scratch } from '../vector/scratch.js';
import { assignRows } from './assign.js';
import { listsOf } from './centroid-tree.js';
import { cutRows, meanOf, squaredDistance } from './cut.js';
import type { Assigned } from './plan.js';
import { NO_CLUSTER } from './plan.js';
import type { Quantizer, RowArray } from './quantizer.js';

const ROUNDS = 4;
/** Entries of the longest posting, of a usual one. */
const MOST = 2.25;
/** Shorter postings, in usual ones, are dissolved: reading one costs as much as reading a block. */
const LEAST = 1 / 8;
/** Postings near a cut one whose rows are looked at. */
const NEIGHBOURS = 32;
/** New clusters, per usual cluster of all rows, from which on nothing more is cut for balance alone. */
const GROWTH = 2;
/** A row changes its posting only for one that is nearer by this share of the squared distance. */
const STAY = 1023 / 1024;

/** Assigned rows and their centroids, both changed in place. */
export interface Lists {
  readonly kernels: Kernels;
  readonly scratch: Scratch;
  readonly rows: RowArray;
  readonly quantizer: Quantizer;
  /** Address of f32 rows, with room for `clusterRoom` of them. */
  readonly centroids: number;
  clusters: number;
  readonly assigned: Assigned;
  /** Rows of a usual cluster; a usual posting has twice as many entries. */
  readonly usual: number;
}

/** Centroids that there must be room for: see `GROWTH`. */
export function clusterRoom(clusters: number, rows: number, usual: number): number {
  // One cut leaves pieces of at least half a usual cluster, the last ones of more than a whole.
  return clusters + Math.ceil(((GROWTH + 3) * rows) / usual) + 64;
}

/**
 * Bounds the postings. Returns how many were cut or dissolved, or null, with nothing changed, when that would
 * be more than `changesMax`.
 */
export function boundLists(lists: Lists, changesMax: number): number | null {
  const roomForBalance = lists.clusters + (GROWTH * lists.assigned.first.length) / lists.usual;
  let changes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const wanted = unfit(lists);
    if (wanted.long.length + wanted.short.length === 0) break;
    changes += wanted.long.length + wanted.short.length;
    if (round === 0 && changes > changesMax) return null;
    oneRound(lists, wanted, roomForBalance);
  }
  cutLongest(lists);
  shed(lists);
  return changes;
}

interface Unfit {
  readonly long: readonly number[];
  readonly short: readonly number[];
}

function mostOf({ usual }: Lists): number {
  return Math.max(16, Math.floor(usual * 2 * MOST));
}

function unfit(lists: Lists): Unfit {
  const { clusters, usual } = lists;
  const { firsts, entries } = sizesOf(lists);
  const largest = entries.reduce((best, size, c) => (size > (entries[best] ?? 0) ? c : best), 0);
  const most = mostOf(lists);
  const long: number[] = [];
  const short: number[] = [];
  for (let c = 0; c < clusters; c++) {
    const size = entries[c] ?? 0;
    // One that is long by second entries alone is not cut: its few rows are near to each other.
    if (size > most && (firsts[c] ?? 0) >= Math.max(4, usual / 2)) long.push(c);
    else if (size > 0 && size < usual * 2 * LEAST && c !== largest) short.push(c);
  }
  return { long, short };
}

function sizesOf({ assigned, clusters }: Lists): {
  readonly firsts: Uint32Array;
  readonly entries: Uint32Array;
} {
  const firsts = new Uint32Array(clusters);
  for (const c of assigned.first) firsts[c] = (firsts[c] ?? 0) + 1;
  const entries = firsts.slice();
  for (const c of assigned.second) if (c !== NO_CLUSTER) entries[c] = (entries[c] ?? 0) + 1;
  return { firsts, entries };
}

function oneRound(lists: Lists, { long, short }: Unfit, roomForBalance: number): void {
  const { assigned } = lists;
  const dirty = new Uint8Array(assigned.first.length);
  const renumbered = dissolve(lists, short, dirty);
  const members = listsOf(assigned.first, lists.clusters);
  const before = lists.clusters;
  const touched = new Uint8Array(before);
  for (const c of long) {
    if (lists.clusters >= roomForBalance) break;
    touched[renumbered[c] ?? 0] = 1;
    cutOne(lists, renumbered[c] ?? 0, members, before, dirty);
  }
  assigned.second.forEach((c, row) => {
    if (c !== NO_CLUSTER && touched[c] === 1) dirty[row] = 1;
  });
  const list = Uint32Array.from(rowsWith(dirty));
  const { kernels, scratch, rows, quantizer, centroids, clusters } = lists;
  assignRows(kernels, scratch, rows, quantizer, { rows: centroids, clusters }, list, assigned);
}

function* rowsWith(dirty: Uint8Array): Generator<number> {
  for (let row = 0; row < dirty.length; row++) if (dirty[row] === 1) yield row;
}

/** Takes the centroids out; their rows have no cluster then. Returns the new number of every centroid. */
function dissolve(lists: Lists, short: readonly number[], dirty: Uint8Array): Uint32Array {
  const { kernels, centroids, rows, assigned } = lists;
  const gone = new Set(short);
  const renumbered = new Uint32Array(lists.clusters).fill(NO_CLUSTER);
  let kept = 0;
  for (let c = 0; c < lists.clusters; c++) {
    if (gone.has(c)) continue;
    const from = centroids / 4 + c * rows.stride;
    kernels.f32.copyWithin(centroids / 4 + kept * rows.stride, from, from + rows.stride);
    renumbered[c] = kept++;
  }
  lists.clusters = kept;
  if (gone.size === 0) return renumbered;
  for (const column of [assigned.first, assigned.second]) {
    column.forEach((c, row) => {
      if (c === NO_CLUSTER) return;
      const number = renumbered[c] ?? NO_CLUSTER;
      column[row] = number;
      if (number === NO_CLUSTER) dirty[row] = 1;
    });
  }
  return renumbered;
}

interface Members {
  readonly starts: Uint32Array;
  readonly members: Uint32Array;
}

function membersOf({ starts, members }: Members, c: number): Uint32Array {
  return members.subarray(starts[c] ?? 0, starts[c + 1] ?? 0);
}

/** Cuts a posting, and marks the rows that this may concern; `before`: clusters when the round began. */
function cutOne(lists: Lists, c: number, all: Members, before: number, dirty: Uint8Array): void {
  const { kernels, rows, assigned, centroids, usual } = lists;
  const at = centroids / 4 + c * rows.stride;
  const old = kernels.f32.slice(at, at + rows.stride);
  const members = membersOf(all, c);
  const pieces = cutRows(kernels, rows, members.slice(), Math.max(4, usual * 2));
  const means = place(lists, c, pieces);
  for (const row of members) dirty[row] = 1;
  for (const near of nearest(lists, old, c, before)) {
    const own = kernels.f32.subarray(
      centroids / 4 + near * rows.stride,
      centroids / 4 + (near + 1) * rows.stride,
    );
    for (const row of membersOf(all, near)) {
      if (dirty[row] === 1 || assigned.first[row] !== near) continue;
      const limit = squaredDistance(kernels, rows, row, own) * STAY;
      if (means.some((mean) => squaredDistance(kernels, rows, row, mean) < limit)) dirty[row] = 1;
    }
  }
}

/** Gives each piece a centroid: the first that of the posting it comes from, the others new ones. */
function place(lists: Lists, c: number, pieces: readonly Uint32Array[]): Float64Array[] {
  const { kernels, rows, assigned, centroids } = lists;
  return pieces.map((piece, index) => {
    const number = index === 0 ? c : lists.clusters++;
    const mean = meanOf(kernels, rows, piece);
    kernels.f32.set(mean, centroids / 4 + number * rows.stride);
    for (const row of piece) assigned.first[row] = number;
    return mean;
  });
}

/** The clusters whose centroids are nearest to a point, without `c` itself. */
function nearest(
  { kernels, rows, centroids }: Lists,
  point: Float32Array,
  c: number,
  clusters: number,
): number[] {
  const distances = new Float64Array(clusters);
  const plain = { raw: centroids, factors: 0, stride: rows.stride };
  for (let other = 0; other < clusters; other++) {
    distances[other] = other === c ? Infinity : squaredDistance(kernels, plain, other, point);
  }
  const limit = distances.slice().sort()[Math.min(NEIGHBOURS, clusters) - 1] ?? Infinity;
  const near: number[] = [];
  distances.forEach((distance, other) => {
    if (distance <= limit && other !== c && near.length < NEIGHBOURS) near.push(other);
  });
  return near;
}

/** Cuts what has too many rows still, whatever lies beside it. */
function cutLongest(lists: Lists): void {
  const most = mostOf(lists);
  const all = listsOf(lists.assigned.first, lists.clusters);
  const before = lists.clusters;
  for (let c = 0; c < before; c++) {
    const members = membersOf(all, c);
    if (members.length > most) place(lists, c, cutRows(lists.kernels, lists.rows, members.slice(), most));
  }
}

/** Leaves out second entries, the last rows' first, where a posting has too many entries. */
function shed(lists: Lists): void {
  const { second } = lists.assigned;
  const { entries } = sizesOf(lists);
  const most = mostOf(lists);
  for (let row = second.length - 1; row >= 0; row--) {
    const c = second[row] ?? NO_CLUSTER;
    if (c === NO_CLUSTER || (entries[c] ?? 0) <= most) continue;
    entries[c] = (entries[c] ?? 0) - 1;
    second[row] = NO_CLUSTER;
  }
}
