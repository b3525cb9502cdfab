// Exact f32 scores. Multiplications and additions in a fixed order, never fused: both binaries and every
// machine give the same bits.
//
// Metric 0 is cosine (the query has unit length, factors are 1/‖x‖), 1 is l2 (the score is the negated
// squared distance, computed from differences so that nothing cancels), 2 is the inner product. Four rows go
// side by side: they share the loads of the query, and their cache misses overlap.

import { offer } from './select';

/** Scores of the rows at four addresses, without factors. */
// @ts-ignore: decorator
@inline
function scoreFour(
  metric: u32,
  p0: usize,
  p1: usize,
  p2: usize,
  p3: usize,
  query: usize,
  bytes: usize,
): v128 {
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0);
  if (metric == 1) {
    for (let i: usize = 0; i < bytes; i += 16) {
      const q = v128.load(query + i);
      const d0 = f32x4.sub(v128.load(p0 + i), q);
      const d1 = f32x4.sub(v128.load(p1 + i), q);
      const d2 = f32x4.sub(v128.load(p2 + i), q);
      const d3 = f32x4.sub(v128.load(p3 + i), q);
      s0 = f32x4.add(s0, f32x4.mul(d0, d0));
      s1 = f32x4.add(s1, f32x4.mul(d1, d1));
      s2 = f32x4.add(s2, f32x4.mul(d2, d2));
      s3 = f32x4.add(s3, f32x4.mul(d3, d3));
    }
    // From zero and not negated: an equal row has distance 0, not -0.
    return f32x4.sub(f32x4.splat(0), addLanes(s0, s1, s2, s3));
  }
  for (let i: usize = 0; i < bytes; i += 16) {
    const q = v128.load(query + i);
    s0 = f32x4.add(s0, f32x4.mul(v128.load(p0 + i), q));
    s1 = f32x4.add(s1, f32x4.mul(v128.load(p1 + i), q));
    s2 = f32x4.add(s2, f32x4.mul(v128.load(p2 + i), q));
    s3 = f32x4.add(s3, f32x4.mul(v128.load(p3 + i), q));
  }
  return addLanes(s0, s1, s2, s3);
}

/** Lane n of the result is the sum of the lanes of argument n. */
// @ts-ignore: decorator
@inline
function addLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
}

// @ts-ignore: decorator
@inline
function offerFour(collector: usize, scores: v128, mask: i32, r0: u32, r1: u32, r2: u32, r3: u32): void {
  if (mask & 1) offer(collector, f32x4.extract_lane(scores, 0), r0);
  if (mask & 2) offerAbove(collector, f32x4.extract_lane(scores, 1), r1);
  if (mask & 4) offerAbove(collector, f32x4.extract_lane(scores, 2), r2);
  if (mask & 8) offerAbove(collector, f32x4.extract_lane(scores, 3), r3);
}

// @ts-ignore: decorator
@inline
function offerAbove(collector: usize, score: f32, row: u32): void {
  if (score > load<f32>(collector)) offer(collector, score, row);
}

/** Nothing behind the last float is read: it may be the end of the memory. */
// @ts-ignore: decorator
@inline
function loadUpToFour(at: usize, count: u32): v128 {
  if (count >= 4) return v128.load(at);
  let values = f32x4.splat(load<f32>(at));
  if (count > 1) values = f32x4.replace_lane(values, 1, load<f32>(at, 4));
  if (count > 2) values = f32x4.replace_lane(values, 2, load<f32>(at, 8));
  return values;
}

/** Scores rows [from, to) exactly and offers them. Row `r` is at `raw + r · stride` bytes. */
export function scanRange(
  metric: u32,
  raw: usize,
  stride: u32,
  factors: usize,
  query: usize,
  from: u32,
  to: u32,
  collector: usize,
): void {
  const bytes: usize = stride;
  for (let row = from; row < to; row += 4) {
    const left = to - row;
    const p0 = raw + <usize>row * bytes;
    const p1 = left > 1 ? p0 + bytes : p0;
    const p2 = left > 2 ? p1 + bytes : p0;
    const p3 = left > 3 ? p2 + bytes : p0;
    let scores = scoreFour(metric, p0, p1, p2, p3, query, bytes);
    if (metric == 0) scores = f32x4.mul(scores, loadUpToFour(factors + ((<usize>row) << 2), left));
    let mask = i32x4.bitmask(f32x4.gt(scores, v128.load32_splat(collector)));
    if (left < 4) mask &= (1 << left) - 1;
    if (mask) offerFour(collector, scores, mask, row, row + 1, row + 2, row + 3);
  }
}

/** Scores the listed rows (u32 each) exactly and offers them. */
export function scanList(
  metric: u32,
  raw: usize,
  stride: u32,
  factors: usize,
  query: usize,
  list: usize,
  count: u32,
  collector: usize,
): void {
  const bytes: usize = stride;
  for (let i: u32 = 0; i < count; i += 4) {
    const at = list + ((<usize>i) << 2);
    const left = count - i;
    const r0 = load<u32>(at);
    const r1 = left > 1 ? load<u32>(at, 4) : r0;
    const r2 = left > 2 ? load<u32>(at, 8) : r0;
    const r3 = left > 3 ? load<u32>(at, 12) : r0;
    let scores = scoreFour(
      metric,
      raw + <usize>r0 * bytes,
      raw + <usize>r1 * bytes,
      raw + <usize>r2 * bytes,
      raw + <usize>r3 * bytes,
      query,
      bytes,
    );
    if (metric == 0) {
      let weights = f32x4.splat(load<f32>(factors + ((<usize>r0) << 2)));
      weights = f32x4.replace_lane(weights, 1, load<f32>(factors + ((<usize>r1) << 2)));
      weights = f32x4.replace_lane(weights, 2, load<f32>(factors + ((<usize>r2) << 2)));
      weights = f32x4.replace_lane(weights, 3, load<f32>(factors + ((<usize>r3) << 2)));
      scores = f32x4.mul(scores, weights);
    }
    let mask = i32x4.bitmask(f32x4.gt(scores, v128.load32_splat(collector)));
    if (left < 4) mask &= (1 << left) - 1;
    if (mask) offerFour(collector, scores, mask, r0, r1, r2, r3);
  }
}
