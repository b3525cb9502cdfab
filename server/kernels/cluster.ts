// What clustering needs: the nearest centroid of many rows, sums of the rows of a cluster, and the two
// postings of every row.
//
// Centroids are coded like rows (blocks with two terms: scale and half norm), so a row acts as the query of a
// scan over them and its nearest centroid is the one with the greatest `x·c − ‖c‖²/2`, both relative to the
// quantizer's centre.

import { collectorReset, collectorShrink, collectorTake, KEYS } from './select';
import { bestEntry, quantizeQuery, scanBlocks, scanPostings } from './codes';

const NONE: u32 = 0xffffffff;
/** A row stays in its cluster unless another is nearer than this share of the squared distance. */
const STAY: f32 = 1023.0 / 1024.0;

/** Bytes of a rounded query: 4 per group, then factor and shift. */
// @ts-ignore: decorator
@inline
function roundedBytes(groups: u32): usize {
  return ((<usize>groups) << 2) + 8;
}

/**
 * Rounds the listed rows (u32 each), weighted by their factors unless `factors` is 0, for `assignRounded`.
 */
export function quantizeRows(
  list: usize,
  count: u32,
  raw: usize,
  factors: usize,
  centres: usize,
  steps: usize,
  groups: u32,
  out: usize,
): void {
  const stride = (<usize>groups) << 4;
  const bytes = roundedBytes(groups);
  for (let i: usize = 0; i < <usize>count; i++) {
    const row: usize = load<u32>(list + (i << 2));
    const weight = factors == 0 ? <f32>1 : load<f32>(factors + (row << 2));
    quantizeQuery(raw + row * stride, weight, centres, steps, groups, out + i * bytes);
  }
}

/**
 * For every rounded row the number of its nearest centroid, u32 each. `scratch`: room for two collectors and
 * the numbers they take, as `assignNear` says, with `keep` 1.
 */
export function assignRounded(
  rounded: usize,
  count: u32,
  tree: usize,
  groups: u32,
  capacity: u32,
  scratch: usize,
  out: usize,
): void {
  const bytes = roundedBytes(groups);
  const tail = (<usize>groups) << 2;
  const blocks = <usize>treeWord(tree, 1);
  const collector = (scratch + 16 + 15) & ~15;
  const groupWork = (collector + KEYS + ((<usize>capacity) << 3) + 15) & ~15;
  for (let i: usize = 0; i < <usize>count; i++) {
    const query = rounded + i * bytes;
    const factor = load<f32>(query + tail);
    const shift = load<i32>(query + tail, 4);
    if (treeWord(tree, 5) == 0) {
      const best = bestEntry(blocks, treeWord(tree, 2), groups, query, factor, shift);
      store<u32>(out + (i << 2), best);
    } else {
      collectorReset(collector, 1, capacity, 0, 0, 0);
      scanTree(tree, groups, query, factor, shift, groupWork, collector);
      collectorTakeBest(collector, out + (i << 2));
    }
  }
}

/** Adds every listed row, weighted, to the sum (f32 rows) of its cluster and counts it. */
export function addToSums(
  list: usize,
  clusters: usize,
  count: u32,
  raw: usize,
  factors: usize,
  groups: u32,
  sums: usize,
  counts: usize,
): void {
  const stride = (<usize>groups) << 4;
  for (let i: usize = 0; i < <usize>count; i++) {
    const row: usize = load<u32>(list + (i << 2));
    const cluster: usize = load<u32>(clusters + (i << 2));
    const weight = f32x4.splat(factors == 0 ? <f32>1 : load<f32>(factors + (row << 2)));
    const source = raw + row * stride;
    const sum = sums + cluster * stride;
    for (let b: usize = 0; b < stride; b += 16) {
      v128.store(sum + b, f32x4.add(v128.load(sum + b), f32x4.mul(v128.load(source + b), weight)));
    }
    store<u32>(counts + (cluster << 2), load<u32>(counts + (cluster << 2)) + 1);
  }
}

/**
 * Number of the nearest centroids' groups, and below them the centroids: what a tree of centroids is made of.
 * Words (u32): rows of the centroids (f32) · their blocks, ordered by group · number of blocks · table of the
 * groups' first blocks · blocks of the groups · their number, 0 for no groups · groups to look into ·
 * capacity of a collector of so many.
 */
// @ts-ignore: decorator
@inline
function treeWord(tree: usize, index: usize): u32 {
  return load<u32>(tree + (index << 2));
}

/** Offers the centroids near a rounded row: all of them, or those of the nearest groups. */
function scanTree(
  tree: usize,
  groups: u32,
  rounded: usize,
  factor: f32,
  shift: i32,
  groupWork: usize,
  collector: usize,
): void {
  const blocks = <usize>treeWord(tree, 1);
  const groupCount = treeWord(tree, 5);
  if (groupCount == 0) {
    scanBlocks(blocks, treeWord(tree, 2), groups, 2, rounded, factor, shift, collector);
    return;
  }
  const probe = treeWord(tree, 6);
  const nearest = (groupWork + ((<usize>probe) << 2) + 15) & ~15;
  collectorReset(nearest, probe, treeWord(tree, 7), 0, 0, 0);
  scanBlocks(<usize>treeWord(tree, 4), groupCount, groups, 2, rounded, factor, shift, nearest);
  const found = collectorTakeBest(nearest, groupWork);
  const table = <usize>treeWord(tree, 3);
  scanPostings(blocks, table, groupWork, found, groups, 2, rounded, factor, shift, collector);
}

/**
 * The two clusters of the listed rows (u32 each): the nearest, and the one whose error is small and most
 * orthogonal to the first's, minimal ‖x − c‖² + lambda · (r·(x − c))²/‖r‖² where r = x − first (Sun et al.,
 * SOAR, 2023). Both are chosen by exact distances among the `keep` nearest by code. `first` holds a cluster
 * for each listed row, or 0xffffffff: a row leaves its cluster only for one whose squared distance is less by
 * more than a 1024th, so that equal centroids do not draw rows from each other. `second` is 0xffffffff when
 * there is one cluster only. `scratch`: the weighted row (stride bytes), the rounded row (4 · groups + 16),
 * `keep` u32, a collector of `capacity` keys, a u32 for every group to look into and a collector of these,
 * each part on a multiple of 16.
 */
export function assignNear(
  list: usize,
  count: u32,
  raw: usize,
  factors: usize,
  tree: usize,
  centres: usize,
  steps: usize,
  groups: u32,
  lambda: f32,
  keep: u32,
  capacity: u32,
  scratch: usize,
  first: usize,
  second: usize,
): void {
  const stride = (<usize>groups) << 4;
  const rounded = scratch + stride;
  const tail = rounded + ((<usize>groups) << 2);
  const near = (tail + 8 + 15) & ~15;
  const collector = (near + ((<usize>keep) << 2) + 15) & ~15;
  const groupWork = (collector + KEYS + ((<usize>capacity) << 3) + 15) & ~15;
  const centroids = <usize>treeWord(tree, 0);
  for (let i: usize = 0; i < <usize>count; i++) {
    const row = <usize>load<u32>(list + (i << 2));
    const weight = factors == 0 ? <f32>1 : load<f32>(factors + (row << 2));
    weighRow(raw + row * stride, weight, stride, scratch);
    quantizeQuery(scratch, 1, centres, steps, groups, rounded);
    collectorReset(collector, keep, capacity, 0, 0, 0);
    scanTree(tree, groups, rounded, load<f32>(tail), load<i32>(tail, 4), groupWork, collector);
    const found = collectorTakeBest(collector, near);
    let best = load<u32>(first + (i << 2));
    best = nearestOf(scratch, near, found, centroids, stride, best);
    store<u32>(first + (i << 2), best);
    store<u32>(second + (i << 2), orthogonalOf(scratch, near, found, centroids, stride, best, lambda));
  }
}

function collectorTakeBest(collector: usize, list: usize): u32 {
  const found = collectorShrink(collector);
  collectorTake(collector, list, 0);
  return found;
}

function weighRow(source: usize, weight: f32, stride: usize, out: usize): void {
  const weights = f32x4.splat(weight);
  for (let b: usize = 0; b < stride; b += 16) v128.store(out + b, f32x4.mul(v128.load(source + b), weights));
}

// @ts-ignore: decorator
@inline
function sumLanes(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

function squaredDistance(a: usize, b: usize, stride: usize): f32 {
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < stride; i += 16) {
    const d = f32x4.sub(v128.load(a + i), v128.load(b + i));
    sum = f32x4.add(sum, f32x4.mul(d, d));
  }
  return sumLanes(sum);
}

function nearestOf(x: usize, list: usize, count: u32, centroids: usize, stride: usize, given: u32): u32 {
  let best: u32 = given == NONE ? 0 : given;
  let distance: f32 = Infinity;
  if (given != NONE) {
    distance = squaredDistance(x, centroids + (<usize>given) * stride, stride) * STAY;
  }
  for (let i: usize = 0; i < <usize>count; i++) {
    const c = load<u32>(list + (i << 2));
    const d = squaredDistance(x, centroids + (<usize>c) * stride, stride);
    if (d < distance || (d == distance && best != given && c < best)) {
      distance = d;
      best = c;
    }
  }
  return best;
}

function orthogonalOf(
  x: usize,
  list: usize,
  count: u32,
  centroids: usize,
  stride: usize,
  first: u32,
  lambda: f32,
): u32 {
  const base = centroids + <usize>first * stride;
  const norm = squaredDistance(x, base, stride);
  const weight = norm > 0 ? lambda / norm : <f32>0;
  let best: u32 = NONE;
  let loss: f32 = Infinity;
  for (let i: usize = 0; i < <usize>count; i++) {
    const c = load<u32>(list + (i << 2));
    if (c == first) continue;
    const other = centroids + <usize>c * stride;
    let along = f32x4.splat(0);
    let error = f32x4.splat(0);
    for (let b: usize = 0; b < stride; b += 16) {
      const value = v128.load(x + b);
      const d = f32x4.sub(value, v128.load(other + b));
      error = f32x4.add(error, f32x4.mul(d, d));
      along = f32x4.add(along, f32x4.mul(d, f32x4.sub(value, v128.load(base + b))));
    }
    const projection = sumLanes(along);
    const l = sumLanes(error) + weight * projection * projection;
    if (l < loss || (l == loss && c < best)) {
      loss = l;
      best = c;
    }
  }
  return best;
}
